import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'

export const RETAIL_COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
]

export type Article = {
  /** Where the file first names it. */
  line: number
  code: string
  descriptions: Map<string, number>
  /** In the currency of the file, of every sale. */
  prices: number[]
  unitsSold: number
}
export type Invoice = {
  number: string
  date: string
  customer: string
  country: string
  lines: { code: string; qty: number }[]
}
export type Retail = { articles: Article[]; invoices: Invoice[]; rows: number; leftOut: Record<string, number> }

/** The records of a CSV file, gzipped or not, each with the line it begins on. */
export async function* readRecords(file: string): AsyncGenerator<{ line: number; cells: string[] }> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true })
  const source = createReadStream(file)
  // A fault of the source reaches the reader through the parser.
  const streams = file.endsWith('.gz') ? [source, createGunzip(), parser] : [source, parser]
  pipeline(streams as [typeof source, typeof parser], () => undefined)
  let last = 0
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    yield { line: last + 1, cells: record }
    last = info.lines
  }
}

/**
 * Articles and invoices of a file in the online-retail format. Rows that are no sale of goods (returns, corrections, postage,
 * rows without price) make no article; `leftOut` counts them by reason.
 */
export async function readRetail(file: string): Promise<Retail> {
  const articles = new Map<string, Article>()
  const invoices = new Map<string, Invoice>()
  const leftOut: Record<string, number> = {}
  let rows = -1
  for await (const { line, cells } of readRecords(file)) {
    if (++rows === 0) continue
    const [number, rawCode, description, quantity, date, unitPrice, customer, country] = RETAIL_COLUMNS.map(
      (_, at) => cells[at]?.trim() ?? '',
    ) as Columns
    const code = rawCode.toUpperCase()
    const qty = Number(quantity)
    const price = Number(unitPrice)
    const fault = faultOf({ cells, number, code, qty, price })
    if (fault) {
      leftOut[fault] = (leftOut[fault] ?? 0) + 1
      continue
    }
    const article: Article = articles.get(code) ?? { line, code, descriptions: new Map(), prices: [], unitsSold: 0 }
    articles.set(code, article)
    if (description) article.descriptions.set(description, (article.descriptions.get(description) ?? 0) + 1)
    article.prices.push(price)
    article.unitsSold += qty
    const invoice = invoices.get(number) ?? {
      number,
      date,
      customer: String(Number(customer) || ''),
      country,
      lines: [],
    }
    invoices.set(number, invoice)
    const known = invoice.lines.find((one) => one.code === code)
    if (known) known.qty += qty
    else invoice.lines.push({ code, qty })
  }
  return { articles: [...articles.values()], invoices: [...invoices.values()], rows, leftOut }
}

type Columns = [string, string, string, string, string, string, string, string]

/** Goods have five digits and perhaps letters; everything else (POST, D, BANK CHARGES, gift vouchers) is a service. */
const GOODS = /^[0-9]{5}[A-Z]{0,2}$/

function faultOf(row: {
  cells: string[]
  number: string
  code: string
  qty: number
  price: number
}): string | undefined {
  if (row.cells.length !== RETAIL_COLUMNS.length || !Number.isInteger(row.qty) || !Number.isFinite(row.price))
    return 'malformed'
  if (row.number.startsWith('C') || row.qty < 0) return 'return or correction'
  if (!GOODS.test(row.code)) return 'not goods (postage, fees, vouchers)'
  if (row.price <= 0 || row.qty === 0) return 'no price'
  return undefined
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
