"""What runs once before a release rolls out: here, a check that the catalogue of this release can be sold.

An app with a database runs its migrations in its place. It may run more than once, also after a rollback, so each
step finds out by itself whether it is done already.
"""

from __future__ import annotations

from catalogue import PRODUCTS
from server import read_version


def main() -> None:
    """Stop the roll-out, before any pod is replaced, when two products share a number or one has no price."""
    numbers = [product.sku for product in PRODUCTS]
    if len(set(numbers)) != len(numbers) or any(product.cents <= 0 for product in PRODUCTS):
        raise SystemExit("The catalogue has a number twice, or a product without a price.")
    print(f"shop {read_version()}: {len(numbers)} products are ready.")


if __name__ == "__main__":
    main()
