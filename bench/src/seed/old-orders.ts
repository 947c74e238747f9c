import pg from 'pg'
import { databaseUrl } from './database.ts'

const BATCH = 1000

/** A table of a sale: which columns hold ids of the sale's own, and what else must differ from copy to copy. */
type Table = {
  database: string
  name: string
  ids: string[]
  other?: Record<string, string>
  leftOut?: string[]
  /** Joins the rows that belong to the order `original.id`, as `row`. */
  rows: string
}

const ownRows = (name: string, orderColumn = 'order_id') => `join ${name} as row on row.${orderColumn} = original.id`

const tables: Table[] = [
  {
    database: 'haat_order',
    name: 'orders',
    rows: ownRows('orders', 'id'),
    ids: ['id', 'user_id'],
    other: { order_no: `row.order_no || '/' || n`, intent_id: `row.intent_id || '/' || n` },
  },
  {
    database: 'haat_order',
    name: 'vendor_orders',
    rows: ownRows('vendor_orders'),
    ids: ['id', 'order_id'],
    other: { order_no: `row.order_no || '/' || n` },
  },
  {
    database: 'haat_order',
    name: 'order_items',
    rows: ownRows('order_items'),
    ids: ['id', 'order_id', 'vendor_order_id'],
  },
  { database: 'haat_order', name: 'order_addresses', rows: ownRows('order_addresses'), ids: ['order_id'] },
  {
    database: 'haat_order',
    name: 'order_timeline',
    rows: ownRows('order_timeline'),
    ids: ['id', 'order_id', 'vendor_order_id', 'by_user_id'],
    leftOut: ['seq'],
  },
  { database: 'haat_order', name: 'checkouts', rows: ownRows('checkouts'), ids: ['order_id', 'user_id'] },
  {
    database: 'haat_payment',
    name: 'payments',
    rows: ownRows('payments'),
    ids: ['id', 'order_id', 'user_id'],
    other: { intent_id: `row.intent_id || '/' || n`, order_no: `row.order_no || '/' || n` },
  },
  {
    database: 'haat_payment',
    name: 'ledger_transactions',
    rows: `join (select distinct transaction_id, order_id from ledger_postings where order_id = any($1::uuid[])) as owned
             on owned.order_id = original.id
           join ledger_transactions as row on row.id = owned.transaction_id`,
    ids: ['id', 'reference'],
    other: { business_key: `row.business_key || '/' || n` },
  },
  {
    database: 'haat_payment',
    name: 'ledger_postings',
    rows: ownRows('ledger_postings'),
    ids: ['id', 'transaction_id', 'order_id', 'vendor_order_id'],
  },
]

/**
 * Puts so many old orders beside the real ones, as copies of those that customers made, with their payments and ledger postings,
 * straight into the tables: each copy has ids, a number and a customer of its own.
 */
export async function copyOrders(
  postgresUrl: string,
  from: number,
  to: number,
  onProgress: (done: number) => void,
): Promise<void> {
  const clients = new Map<string, pg.Client>()
  try {
    for (const database of new Set(tables.map((table) => table.database))) {
      const client = new pg.Client({ connectionString: databaseUrl(postgresUrl, database) })
      await client.connect()
      // A UUID v7 of long ago that follows from the original and the number of the copy.
      await client.query(`create function pg_temp.copied(original uuid, n integer) returns uuid immutable language sql as $$
        select ('0190' || lpad(to_hex(n), 8, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid
          from md5(original::text || n) as hash $$`)
      clients.set(database, client)
    }
    const { rows } = await clients
      .get('haat_order')!
      .query<{ id: string }>(
        `select id from orders where payment_status = 'paid' and order_no not like '%/%' order by id limit 50`,
      )
    const originals = rows.map(({ id }) => id)
    if (originals.length === 0) throw new Error('there is no paid order to copy')
    for (let at = from; at < to; at += BATCH) {
      const end = Math.min(to, at + BATCH)
      // One transaction each: a ledger transaction must have its postings when it commits.
      for (const client of clients.values()) await client.query('begin')
      for (const table of tables) await copyRows(clients.get(table.database)!, table, originals, at, end)
      for (const client of clients.values()) await client.query('commit')
      onProgress(end)
    }
    for (const client of clients.values()) await client.query('analyze')
  } finally {
    for (const client of clients.values()) await client.end()
  }
}

async function copyRows(client: pg.Client, table: Table, originals: string[], from: number, to: number): Promise<void> {
  const columns = await columnsOf(client, table)
  const changes = [
    ...table.ids.map((column) => `'${column}', pg_temp.copied(row.${column}, n)`),
    ...Object.entries(table.other ?? {}).map(([column, value]) => `'${column}', ${value}`),
  ]
  const list = columns.map((column) => `"${column}"`).join(', ')
  await client.query(
    `insert into ${table.name} (${list})
     select ${columns.map((column) => `made."${column}"`).join(', ')}
       from generate_series($2::integer, $3::integer - 1) as n
       cross join lateral (select ($1::uuid[])[1 + n % cardinality($1::uuid[])] as id) as original
       ${table.rows}
       cross join lateral jsonb_populate_record(null::${table.name}, to_jsonb(row) || jsonb_build_object(${changes.join(', ')})) as made`,
    [originals, from, to],
  )
}

async function columnsOf(client: pg.Client, { name, leftOut = [] }: Table): Promise<string[]> {
  const { rows } = await client.query<{ column_name: string }>(
    `select column_name from information_schema.columns where table_schema = 'public' and table_name = $1 order by ordinal_position`,
    [name],
  )
  return rows.map(({ column_name }) => column_name).filter((column) => !leftOut.includes(column))
}
