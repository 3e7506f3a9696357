"""``python -m registry``."""

from registry.cli.main import main

if __name__ == "__main__":
    main()
