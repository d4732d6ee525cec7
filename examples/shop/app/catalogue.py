"""What the shop sells, and how it is searched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    cents: int


PRODUCTS = (
    Product("mug-01", "Coffee mug", 1290),
    Product("cap-01", "Cotton cap", 1890),
    Product("bag-01", "Canvas bag", 2450),
)


def matches(product: Product, query: str) -> bool:
    """A query is part of a product's name, in any case; `*` is every product."""
    return query == "*" or query.lower() in product.name.lower()


def search(query: str, limit: int) -> list[Product]:
    """At most `limit` products that match, in the order of the catalogue."""
    return [product for product in PRODUCTS if matches(product, query)][:limit]
