import { createHash } from 'node:crypto'
import { newId } from '@haat/kit/id'
import { type GetRatesRequest, type GetRatesResponse, type Parcel, ParcelRates } from '@haat/proto/shipping/v1/shipping'
import { sql } from 'kysely'
import type { ShippingContext } from '../context.ts'
import { toTariff } from '../db/rate-tables.ts'
import { optionsFor } from '../domain/rates.ts'

/**
 * One query when all parcels are cached, three when not. A cached answer counts only for the revision of the rate tables it
 * was calculated from, so that a change of a table shows at once.
 */
export async function getRates(ctx: ShippingContext, request: GetRatesRequest): Promise<GetRatesResponse> {
  const country = request.destination!.country
  const asked = request.parcels.map((parcel) => question(parcel, country))
  const known = await findCached(ctx, [...new Set(asked.map(({ hash }) => hash))])
  const missing = asked.filter(({ hash }) => !known.has(hash))
  if (missing.length) {
    const { tariffs, revision } = await loadTariffs(ctx, missing)
    for (const { hash, parcel } of missing)
      known.set(hash, { vendorId: parcel.vendorId, options: optionsFor(toRate(parcel), country, tariffs) })
    await keep(ctx, missing, known, revision)
  }
  return { parcels: asked.map(({ hash }) => known.get(hash)!) }
}

type Question = { hash: string; parcel: Parcel; text: string }

// Only what the calculation looks at, so that nothing personal is kept.
function question(parcel: Parcel, country: string): Question {
  const { vendorId, weightGrams } = parcel
  const { currency, minor } = parcel.total!
  const text = JSON.stringify({ vendorId, weightGrams, currency, total: String(minor), country })
  return { hash: createHash('sha256').update(text).digest('hex'), parcel, text }
}

const toRate = ({ vendorId, weightGrams, total }: Parcel) => ({ vendorId, weightGrams, total: total! })

async function findCached(ctx: ShippingContext, hashes: string[]): Promise<Map<string, ParcelRates>> {
  if (ctx.ratesCacheSeconds === 0) return new Map()
  const rows = await ctx.db
    .selectFrom('rates_cache')
    .select(['hash', 'response_json'])
    .where('hash', 'in', hashes)
    .where('expires_at', '>', ctx.now())
    .where('revision', '=', (eb) => eb.selectFrom('rate_revision').select('revision'))
    .execute()
  return new Map(rows.map((row) => [row.hash, ParcelRates.fromJSON(row.response_json)]))
}

/** The tables that can matter, and the revision they belong to: one statement sees one state of both. */
async function loadTariffs(ctx: ShippingContext, questions: readonly Question[]) {
  const vendorIds = [...new Set(questions.map(({ parcel }) => parcel.vendorId))]
  const rows = await ctx.db
    .selectFrom('rate_revision')
    .leftJoin('rate_tables', (join) =>
      join
        .on('is_active', '=', true)
        .on((eb) => eb.or([eb('vendor_id', 'is', null), eb('vendor_id', 'in', vendorIds)])),
    )
    .selectAll('rate_tables')
    .select('revision')
    .execute()
  type Row = Parameters<typeof toTariff>[0]
  return {
    revision: rows[0]!.revision,
    tariffs: rows.filter((row) => row.id !== null).map((row) => toTariff(row as Row)),
  }
}

/** A cache that cannot be written costs time, not the answer. */
async function keep(
  ctx: ShippingContext,
  questions: readonly Question[],
  answers: ReadonlyMap<string, ParcelRates>,
  revision: bigint,
): Promise<void> {
  if (ctx.ratesCacheSeconds === 0) return
  const unique = [...new Map(questions.map((q) => [q.hash, q])).values()].sort((a, b) => (a.hash < b.hash ? -1 : 1))
  try {
    await ctx.db
      .insertInto('rates_cache')
      .values(
        unique.map(({ hash, text }) => ({
          id: newId(),
          hash,
          request_json: text,
          response_json: JSON.stringify(ParcelRates.toJSON(answers.get(hash)!)),
          revision,
          expires_at: new Date(ctx.now().getTime() + ctx.ratesCacheSeconds * 1000),
        })),
      )
      .onConflict((c) =>
        c.column('hash').doUpdateSet({
          response_json: sql`excluded.response_json`,
          revision: sql`excluded.revision`,
          expires_at: sql`excluded.expires_at`,
        }),
      )
      .execute()
  } catch (err) {
    ctx.log.warn({ err }, 'rates are not cached')
  }
}
