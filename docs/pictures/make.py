"""Write the picture of the README by running the README's own program: ``python docs/pictures/make.py [DIR]``."""

import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
program = re.search(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
assert program is not None
os.chdir(sys.argv[1] if len(sys.argv) > 1 else HERE)
exec(compile(program[1], "README.md", "exec"), {"__name__": "__main__"})
