"""The files that can be imported, column by column. The command's help is made from these lines."""

from __future__ import annotations

from station.exchange.table import Layout

RETURN_COLUMNS = {
    "rma": "RMA code as printed (required); several rows with one code are several lines of one return",
    "merchant": "merchant's id (required unless --merchant is given)",
    "order_id": "order number",
    "sku": "merchant's article number (required)",
    "quantity": "units, 1 if empty",
    "reason": "declared reason, e.g. size_too_small, defective, unwanted",
    "comment": "the customer's words",
    "serial": "serial number that was shipped; one row for each",
    "paid": "paid for one unit, e.g. 54.90 or 54,90",
    "currency": "ISO 4217 code; what --currency says if empty",
    "tracking": "tracking numbers of the return labels, separated by ;",
    "ordered_at": "date or time; without a zone it is UTC",
    "delivered_at": "when the customer received it: the return window counts from here",
    "authorised_at": "when the return was authorised",
    "lpn": "licence plates given in advance, separated by ;",
}

CATALOGUE_COLUMNS = {
    "merchant": "merchant's id (required unless --merchant is given)",
    "sku": "merchant's article number (required)",
    "title": "what it is called (required)",
    "category": "key that inspection protocols apply to, e.g. electronics.audio",
    "gtin": "GTINs (EAN, UPC) with check digit, separated by ;",
    "codes": "other codes printed on it: FNSKU, ASIN, own; separated by ;",
    "price": "price as new",
    "currency": "ISO 4217 code; what --currency says if empty",
    "mass_g": "mass with packaging in grams",
    "tolerance_g": "half width of the plausible range in grams",
    "accessories": "parts that can be missing, name:grams separated by ;",
    "traits": "lithium, data_bearing, hygiene, recalled, destruction_ban; separated by ;",
    "picture": "file name of the reference picture",
    "serialised": "yes or no",
}

SALES_COLUMNS = {
    "order_id": "order number, as returns name it (required)",
    "merchant": "merchant's id (required unless --merchant is given)",
    "sku": "merchant's article number (required)",
    "quantity": "units, 1 if empty",
    "sold_at": "date or time of the order (required); without a zone it is UTC",
    "price": "paid for one unit, e.g. 54.90 or 54,90",
    "currency": "ISO 4217 code; what --currency says if empty",
    "channel": "where it was sold, e.g. web or marketplace",
    "listing": "the offer it was bought from, e.g. an ASIN",
    "supplier": "who supplied it",
    "lot": "batch that was shipped; one row for each",
    "serials": "serial numbers of its units; separated by ;",
}

AMAZON_COLUMNS = (
    "return-date",
    "order-id",
    "sku",
    "asin",
    "fnsku",
    "product-name",
    "quantity",
    "fulfillment-center-id",
    "detailed-disposition",
    "reason",
    "status",
    "license-plate-number",
    "customer-comments",
)
"""Source: Amazon Seller Central, FBA customer returns report (``GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA``)."""

RETURNS = Layout(
    name="returns",
    columns=tuple(RETURN_COLUMNS),
    required=frozenset({"rma", "sku"}),
    aliases={
        "rmaid": "rma",
        "rmanumber": "rma",
        "merchantid": "merchant",
        "order": "order_id",
        "ordernumber": "order_id",
        "qty": "quantity",
        "serialnumber": "serial",
        "trackingnumber": "tracking",
        "lpns": "lpn",
        "authorizedat": "authorised_at",
    },
)

CATALOGUE = Layout(
    name="a catalogue",
    columns=tuple(CATALOGUE_COLUMNS),
    required=frozenset({"sku", "title"}),
    aliases={
        "merchantid": "merchant",
        "gtins": "gtin",
        "gtin(s)": "gtin",
        "ean": "gtin",
        "upc": "gtin",
        "barcode": "gtin",
        "code": "codes",
        "name": "title",
        "massg": "mass_g",
        "weightg": "mass_g",
        "serialized": "serialised",
    },
)

SALES = Layout(
    name="sales",
    columns=tuple(SALES_COLUMNS),
    # Told from a file of returns by the date of the sale, and from one with both by the RMA, which is none of ours.
    required=frozenset({"order_id", "sku", "sold_at"}),
    aliases={
        "merchantid": "merchant",
        "order": "order_id",
        "ordernumber": "order_id",
        "orderdate": "sold_at",
        "orderedat": "sold_at",
        "purchasedate": "sold_at",
        "qty": "quantity",
        "paid": "price",
        "unitprice": "price",
        "vendor": "supplier",
        "batch": "lot",
        "serialnumbers": "serials",
        "asin": "listing",
        "saleschannel": "channel",
    },
)

AMAZON = Layout(
    name="Amazon FBA customer returns",
    columns=AMAZON_COLUMNS,
    required=frozenset({"return-date", "order-id", "sku"}),
    aliases={
        "amazonorderid": "order-id",
        "returneddate": "return-date",
        "fulfilmentcentreid": "fulfillment-center-id",
        "fulfilmentcenterid": "fulfillment-center-id",
        "licenceplatenumber": "license-plate-number",
    },
)
