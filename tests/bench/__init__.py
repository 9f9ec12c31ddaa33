"""The benchmarks: `python3 packaging/dev.py bench`. Each row of the report is one module; tests check that they run."""
