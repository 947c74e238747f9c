import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { exhausted, invalid } from '@haat/kit/errors'
import type { ImportOptions, ImportProductsRequest, ImportProductsResponse } from '@haat/proto/catalog/v1/catalog'
import { CsvError, parse } from 'csv-parse'
import type { CatalogContext } from '../context.ts'
import type { VendorDocument } from '../db/collections.ts'
import { type ImportRun, importBatch } from '../db/import-batch.ts'
import { findVendorBySlug, getVendor } from '../db/vendors.ts'
import {
  groupKey,
  type Header,
  type ImportedProduct,
  type Row,
  type RowError,
  readHeader,
  readProduct,
} from '../domain/import-file.ts'

const MAX_BYTES = 50 * 1024 * 1024
const MAX_ROWS = 100_000
const MAX_RECORD_BYTES = 1024 * 1024
const MAX_ERRORS = 1000
const BATCH_PRODUCTS = 500
const BATCH_ROWS = 1000
const BATCH_BYTES = 2 * 1024 * 1024

type Answer = { part: NonNullable<ImportProductsResponse['part']> }

export async function* importProducts(
  ctx: CatalogContext,
  requests: AsyncIterable<ImportProductsRequest>,
  call: Call,
): AsyncGenerator<Answer> {
  const messages = requests[Symbol.asyncIterator]()
  const first = await messages.next()
  if (first.done || first.value.part?.$case !== 'options')
    throw invalid('import_options_missing', 'the first message holds the options')
  const { run, withVendor } = await startRun(ctx, first.value.part.value, call)

  const read = { bytes: 0, rows: 0 }
  const total = { created: 0, updated: 0, unchanged: 0, failed: 0, errors: 0 }
  let answered = 0
  let batch: ImportedProduct[] = []
  let batchRows = 0
  let flushedAt = 0

  function* report(errors: readonly RowError[]): Generator<Answer> {
    total.errors += errors.length
    for (const value of errors.slice(0, MAX_ERRORS - answered)) {
      answered++
      yield { part: { $case: 'rowError', value } }
    }
  }
  async function* flush(): AsyncGenerator<Answer> {
    const outcome = await importBatch(ctx, run, batch)
    batch = []
    batchRows = 0
    flushedAt = read.bytes
    total.created += outcome.created
    total.updated += outcome.updated
    total.unchanged += outcome.unchanged
    total.failed += outcome.failed
    yield* report(outcome.errors)
    const productsDone = total.created + total.updated + total.unchanged
    yield { part: { $case: 'progress', value: { bytesRead: BigInt(read.bytes), rowsRead: read.rows, productsDone } } }
  }

  for await (const group of readGroups(messages, withVendor, read)) {
    const { product, errors } =
      'errors' in group ? { product: undefined, errors: group.errors } : readProduct(group.header, group.rows)
    if (errors.length) {
      total.failed++
      yield* report(errors)
    } else if (product) {
      batch.push(product)
      batchRows += product.variants.length
    }
    const full = batch.length >= BATCH_PRODUCTS || batchRows >= BATCH_ROWS || read.bytes - flushedAt >= BATCH_BYTES
    if (full && batch.length) yield* flush()
  }
  if (batch.length) yield* flush()
  yield {
    part: {
      $case: 'summary',
      value: {
        rowsRead: read.rows,
        productsCreated: total.created,
        productsUpdated: total.updated,
        productsUnchanged: total.unchanged,
        productsFailed: total.failed,
        rowErrors: total.errors,
        dryRun: run.dryRun,
      },
    },
  }
}

async function startRun(
  ctx: CatalogContext,
  options: ImportOptions,
  call: Call,
): Promise<{ run: ImportRun; withVendor: boolean }> {
  const staff = isStaff(call, 'catalog.write')
  const withVendor = staff && options.vendorId === undefined
  const one = withVendor ? undefined : await getVendor(ctx, requireVendor(call, options.vendorId, ['catalog.write']))
  const bySlug = new Map<string, Promise<VendorDocument | undefined>>()
  const run: ImportRun = {
    by: call.caller.id,
    isStaff: staff,
    dryRun: options.dryRun,
    publish: options.publish,
    seenSkus: new Set(),
    async vendorOf({ vendor: slug }) {
      if (one) return one
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug)) return undefined
      const found = bySlug.get(slug) ?? findVendorBySlug(ctx, slug)
      bySlug.set(slug, found)
      return found
    },
  }
  return { run, withVendor }
}

type Group = { header: Header; rows: Row[] } | { errors: RowError[] }

/** The rows of each product, as they follow each other. After a place where the file is no CSV nothing is read. */
async function* readGroups(
  messages: AsyncIterator<ImportProductsRequest>,
  withVendor: boolean,
  read: { bytes: number; rows: number },
): AsyncGenerator<Group> {
  let header: Header | undefined
  let rows: Row[] = []
  let key = ''
  const done = new Set<string>()
  const group = function* (): Generator<Group> {
    if (!header || rows.length === 0) return
    const twice = done.has(key)
    done.add(key)
    yield twice
      ? { errors: [rowError(rows[0]!.line, 'product_rows_apart', 'the rows of one product must follow each other')] }
      : { header, rows }
    rows = []
  }
  try {
    for await (const row of readRows(messages, read)) {
      if (!header) {
        header = headerOf(row.cells, withVendor)
        continue
      }
      if (++read.rows > MAX_ROWS) throw exhausted('import_too_large', `more than ${MAX_ROWS} rows`)
      const next = groupKey(header, row)
      if (next !== key) yield* group()
      key = next
      rows.push(row)
    }
    if (!header) headerOf([], withVendor)
    yield* group()
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The product it happens in may lack rows, so it is left out.
    const line = Math.max(2, Number(error.lines ?? 2))
    yield { errors: [rowError(line, 'csv_malformed', `the file cannot be read from here on: ${error.code}`)] }
  } finally {
    // Not waited for: it comes back only when the sender says something more.
    void messages.return?.().catch(() => undefined)
  }
}

/** Rows as the file's bytes come in; everything before a place that is no CSV is still answered. */
async function* readRows(messages: AsyncIterator<ImportProductsRequest>, read: { bytes: number }): AsyncGenerator<Row> {
  let rows: Row[] = []
  let lastLine = 0
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
    // Taken here instead of from the stream, which forgets what it holds when it fails.
    on_record(cells: string[], { lines }) {
      rows.push({ line: lastLine + 1, cells })
      lastLine = lines
      return null
    },
  })
  const failed = new Promise<Error>((resolve) => parser.once('error', resolve))
  const take = (): Row[] => {
    const taken = rows
    rows = []
    return taken
  }
  try {
    for (let next = await messages.next(); !next.done; next = await messages.next()) {
      const { part } = next.value
      if (part?.$case !== 'chunk') throw invalid('import_options_missing', 'only the first message holds options')
      const { value } = part
      read.bytes += value.length
      if (read.bytes > MAX_BYTES) throw exhausted('import_too_large', `more than ${MAX_BYTES} bytes`)
      const written = new Promise<undefined>((resolve) => parser.write(value, () => resolve(undefined)))
      const error = await Promise.race([failed, written]).then((settled) => settled ?? parser.errored)
      yield* take()
      if (error) throw error
    }
    const ended = new Promise<undefined>((resolve) => parser.end(() => resolve(undefined)))
    const error = await Promise.race([failed, ended]).then((settled) => settled ?? parser.errored)
    yield* take()
    if (error) throw error
  } finally {
    parser.destroy()
  }
}

const rowError = (line: number, code: string, message: string): RowError => ({
  line,
  column: '',
  code,
  message,
  sku: '',
})

function headerOf(cells: readonly string[], withVendor: boolean): Header {
  const header = readHeader(cells, withVendor)
  if ('wrong' in header)
    throw invalid('import_header_invalid', `columns missing, unknown or there twice: ${header.wrong.join(', ')}`, {
      columns: header.wrong,
    })
  return header
}
