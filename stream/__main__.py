"""`python -m stream` is the console script `stream`."""

from stream.commands.main import main

if __name__ == "__main__":
    main(prog_name="stream")
