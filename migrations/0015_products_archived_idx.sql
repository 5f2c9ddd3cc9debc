-- no-transaction
-- GET /v1/admin/dashboard/products: the archived ones, which are few, without a look at the others.
CREATE INDEX CONCURRENTLY IF NOT EXISTS products_archived_idx ON products (archived_at)
    WHERE archived_at IS NOT NULL;
