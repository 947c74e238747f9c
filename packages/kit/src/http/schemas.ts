import { z } from '@hono/zod-openapi'

export { z }

/** A body that refuses fields it does not know. */
export const strict = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape)

/** `{ currency, minor }`: whole minor units (cents, paisa). */
export const moneySchema = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'is an ISO 4217 code')
      .openapi({ example: 'BDT' }),
    minor: z.int().openapi({ description: 'Minor units', example: 125000 }),
  })
  .openapi('Money')

export type MoneyJson = z.infer<typeof moneySchema>

/** An amount for JSON. Throws for amounts that a JSON number cannot hold exactly (above 2⁵³ − 1). */
export function moneyJson(money: { currency: string; minor: bigint }): MoneyJson {
  return { currency: money.currency, minor: intJson(money.minor) }
}

/** An amount out of JSON. */
export const moneyFromJson = (money: MoneyJson): { currency: string; minor: bigint } => ({
  currency: money.currency,
  minor: BigInt(money.minor),
})

/** An int64 for JSON; throws instead of losing digits. */
export function intJson(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} does not fit a JSON number`)
  return number
}

/** A timestamp for JSON: ISO 8601 in UTC, null when unset. */
export const timeJson = (date: Date | undefined): string | null => date?.toISOString() ?? null

/** A timestamp in an answer. */
export const timeSchema = z.iso.datetime().openapi({ example: '2026-11-22T09:30:00.000Z' })
/** A timestamp in a request, as a Date. */
export const timeInput = z.iso.datetime({ offset: true }).transform((text) => new Date(text))

export const uuidSchema = z.uuid()
export const skuSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'has 1 to 64 letters, digits, dots, dashes')
  .openapi({ example: 'TEE-RED-M' })
export const slugSchema = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'has small letters, digits and single dashes')
  .openapi({ example: 'red-tee' })
export const quantitySchema = z.int().min(1).max(10_000)
export const currencySchema = z.string().regex(/^[A-Z]{3}$/, 'is an ISO 4217 code')
export const countrySchema = z.string().regex(/^[A-Z]{2}$/, 'is an ISO 3166-1 alpha-2 code')
export const phoneSchema = z.string().regex(/^(\+[1-9][0-9]{6,14})?$/, 'is a phone number like +8801712345678')

/**
 * `page_size` (20; more than 100 is 100) and `page_token` of a list; spread it into a query: `z.object({ ...pageQuery
 * })`.
 */
export const pageQuery = {
  page_size: z.coerce
    .number()
    .min(1)
    .default(20)
    .transform((size) => Math.min(100, Math.floor(size)))
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  page_token: z.string().max(512).default('').openapi({ description: '`nextPageToken` of the page before' }),
}

/** What a list RPC takes of a list route's query. */
export const pageArgs = (query: { page_size: number; page_token: string }) => ({
  pageSize: query.page_size,
  pageToken: query.page_token,
})

/** A page of a list; `nextPageToken` is empty on the last one. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextPageToken: z.string() })

/** haat.common.v1.Address */
export const addressSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(120),
    line1: z.string().trim().min(1).max(200),
    line2: z.string().trim().max(200).default(''),
    city: z.string().trim().min(1).max(120),
    state: z.string().trim().max(120).default(''),
    postalCode: z.string().trim().max(20).default(''),
    country: countrySchema,
    phone: phoneSchema.default(''),
  })
  .openapi('Address')
