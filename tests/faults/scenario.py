"""What a scenario is, and the list of all of them."""
import dataclasses
import typing

ALL = {}


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    says: str
    act: typing.Callable       # act(stage, count): injects so many faults
    count: int                 # faults of one round
    few: int                   # the same in the short run; 0 = not part of it
    workers: int = 3
    is_proxied: bool = False   # workers reach their servers through proxies
    needs_small_disk: bool = False  # a Postgres whose disk can be filled
    wave: int = 100            # orders that the load plays at a time
    worker: dict = dataclasses.field(default_factory=dict)  # more of the workers' configuration
    kafka: dict = dataclasses.field(default_factory=dict)
    postgres: dict = dataclasses.field(default_factory=dict)


def scenario(count, few=0, **more):
    """The function's name is the scenario's, its docstring one sentence for --list."""
    def add(act):
        name = act.__name__.replace("_", "-")
        ALL[name] = Scenario(name, " ".join(act.__doc__.split()), act, count, few, **more)
        return act
    return add
