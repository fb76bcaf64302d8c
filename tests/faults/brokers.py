"""What befalls the brokers, and the connections to them."""
