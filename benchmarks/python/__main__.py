"""`python -m benchmarks.python [OP]` is `python -m benchmarks.python.run [OP]`."""

from benchmarks.python.run import main

main()
