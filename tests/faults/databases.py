"""What befalls Postgres, and the connections to it."""
