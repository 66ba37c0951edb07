"""A program that stands still while it loads, for as long as a test needs."""

_CODE = """
import runpy, sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            print("reached", flush=True)
            time.sleep(600)

sys.meta_path.insert(0, Slow())
sys.argv = [{module!r}, *{arguments!r}]
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


def slow_import(name: str, module: str, *arguments: str) -> str:
    """Code that does what `python -m MODULE ARGUMENTS` does, prints "reached" when it is about to
    import `name`, and goes no further.
    """
    return _CODE.format(name=name, module=module, arguments=list(arguments))
