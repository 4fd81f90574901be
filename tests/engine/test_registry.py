"""Names of the registry in the package."""

import tinygrad_lite as tl


def test_a_name_registered_again_is_found():
    """The package remembers what it has looked up, and forgets it when the name is published again."""
    from tinygrad_lite.engine.op import PUBLIC, publish

    try:
        publish("published_twice", abs, (), False)
        assert tl.published_twice is abs and vars(tl)["published_twice"] is abs
        publish("published_twice", max, (), False)
        assert tl.published_twice is max
    finally:
        PUBLIC.pop("published_twice")
        vars(tl).pop("published_twice")
