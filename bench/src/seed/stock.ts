import pg from 'pg'
import { databaseUrl } from './database.ts'
import { readGoods } from './goods.ts'

const ON_HAND = 1_000_000
const BATCH = 5_000

/**
 * Counts a million units of every SKU that has none yet, straight into inventory's tables as its own RPC would: the row and the
 * movement it is the sum of.
 */
export async function stockAll(urls: { mongo: string; postgres: string }): Promise<void> {
  const goods = await readGoods(urls.mongo)
  const rows = goods.flatMap(({ id, vendorId, skus }) =>
    skus.map((sku) => ({ product_id: id, vendor_id: vendorId, sku })),
  )
  const client = new pg.Client({ connectionString: databaseUrl(urls.postgres, 'haat_inventory') })
  await client.connect()
  try {
    for (let at = 0; at < rows.length; at += BATCH)
      await client.query(
        `with wanted as (
           select * from jsonb_to_recordset($1::jsonb) as wanted(sku text, product_id uuid, vendor_id uuid)
         ), counted as (
           insert into inventory (id, sku, product_id, vendor_id, quantity_on_hand)
           select uuidv7(), sku, product_id, vendor_id, $2 from wanted on conflict do nothing
           returning sku, vendor_id
         )
         insert into stock_movements (id, sku, vendor_id, kind, delta, on_hand_after, reason)
         select uuidv7(), sku, vendor_id, 'count', $2, $2, 'first count' from counted`,
        [JSON.stringify(rows.slice(at, at + BATCH)), ON_HAND],
      )
    await client.query('analyze inventory')
  } finally {
    await client.end()
  }
}
