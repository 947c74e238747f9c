import { createHash } from 'node:crypto'
import { failedPrecondition, invalid, unavailable } from '@haat/kit/errors'
import type { Address } from '@haat/proto/common/v1/common'
import { z } from 'zod'
import type { Scan, Status } from '../domain/tracking.ts'
import type { Carrier, LabelAnswer, LabelOrder } from './carrier.ts'
import type { EasyPostKeys } from './keys.ts'
import { verifyPlain } from './signature.ts'
import { json } from './table.ts'

const REQUEST_MS = 10_000
const LABEL_BYTES = 1024 * 1024
const GRAMS_PER_OUNCE = 28.349523125

const rate = z.object({ id: z.string(), service: z.string(), rate: z.string() })
const shipment = z.object({
  id: z.string(),
  tracking_code: z.string().nullish(),
  refund_status: z.string().nullish(),
  postage_label: z.object({ label_url: z.string().nullish(), label_pdf_url: z.string().nullish() }).nullish(),
  rates: z.array(rate).default([]),
})
type EasyPostShipment = z.infer<typeof shipment>

const failure = z.object({ error: z.object({ code: z.string() }) })

const detail = z.object({
  message: z.string().nullish(),
  status: z.string(),
  datetime: z.iso.datetime({ offset: true }),
  tracking_location: z.object({ city: z.string().nullish(), country: z.string().nullish() }).nullish(),
})
const event = z.object({
  id: z.string().min(1).max(100),
  description: z.string(),
  result: z.unknown(),
})
const tracker = z.object({
  tracking_code: z.string().min(4).max(64),
  tracking_details: z.array(detail).max(500).default([]),
})

const statuses: Record<string, Status> = {
  pre_transit: 'label_created',
  unknown: 'label_created',
  in_transit: 'in_transit',
  out_for_delivery: 'in_transit',
  available_for_pickup: 'in_transit',
  delivered: 'delivered',
  return_to_sender: 'exception',
  failure: 'exception',
  cancelled: 'exception',
  error: 'exception',
}

/**
 * EasyPost's HTTP API. Every shipment carries our id as its `reference` and is looked up by it before anything is made or
 * bought: an attempt that was cut off anywhere is resumed by the next.
 */
export function easypostCarrier(options: { keys: EasyPostKeys; defaultOrigin: string }): Carrier {
  const { keys } = options
  const base = new URL(keys.baseUrl)
  const authorization = `Basic ${Buffer.from(`${keys.apiKey}:`).toString('base64')}`

  const send = async (method: 'GET' | 'POST', path: string, signal: AbortSignal, body?: unknown) => {
    let response: Response
    let answer: unknown
    try {
      response = await fetch(new URL(path, base), {
        method,
        headers: { authorization, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
      })
      answer = json(new Uint8Array(await response.arrayBuffer()))
    } catch {
      throw unavailable('carrier_unavailable', 'EasyPost does not answer')
    }
    // A wrong key is ours to mend, and the same request works afterwards.
    if (response.status >= 500 || [401, 403, 408, 429].includes(response.status))
      throw unavailable('carrier_unavailable', `EasyPost answered ${response.status}`)
    return { status: response.status, answer }
  }
  const rejected = (answer: unknown) => {
    const reason = failure.safeParse(answer).data?.error.code ?? 'unknown'
    return failedPrecondition('carrier_rejected', 'EasyPost refused the parcel', { reason })
  }
  const read = ({ status, answer }: { status: number; answer: unknown }): EasyPostShipment => {
    if (status >= 400) throw rejected(answer)
    const result = shipment.safeParse(answer)
    if (!result.success) throw unavailable('carrier_unavailable', 'EasyPost answered something else than a shipment')
    return result.data
  }
  const find = async (reference: string, signal: AbortSignal): Promise<EasyPostShipment | undefined> => {
    const found = await send('GET', `/v2/shipments/${reference}`, signal)
    return found.status === 404 ? undefined : read(found)
  }
  const bought = (found: EasyPostShipment): LabelAnswer | undefined => {
    const labelUrl = found.postage_label?.label_pdf_url ?? found.postage_label?.label_url
    return found.tracking_code && labelUrl ? { trackingNo: found.tracking_code, labelUrl } : undefined
  }

  return {
    name: 'easypost',
    async createLabel(order, signal) {
      const known =
        (await find(order.reference, signal)) ??
        read(await send('POST', '/v2/shipments', signal, { shipment: request(order, keys, options.defaultOrigin) }))
      const before = bought(known)
      if (before) return before
      const wanted = (keys.services[order.serviceLevel] ?? order.serviceLevel).toLowerCase()
      const offers = known.rates.filter((offer) => offer.service.toLowerCase() === wanted)
      const cheapest = offers.sort((a, b) => Number(a.rate) - Number(b.rate))[0]
      if (!cheapest)
        throw failedPrecondition('carrier_rejected', 'EasyPost does not offer this service level for the parcel', {
          reason: 'service_level_unavailable',
        })
      const purchase = await send('POST', `/v2/shipments/${known.id}/buy`, signal, { rate: { id: cheapest.id } })
      // Refused because another attempt has bought it meanwhile: then its label is there.
      const after = purchase.status >= 400 ? await find(order.reference, signal) : read(purchase)
      const label = after && bought(after)
      if (label) return label
      throw purchase.status >= 400
        ? rejected(purchase.answer)
        : unavailable('carrier_unavailable', 'EasyPost sold a label without a number')
    },
    async voidLabel(reference, signal) {
      const known = await find(reference, signal)
      if (!known || !bought(known) || known.refund_status) return
      const refund = await send('POST', `/v2/shipments/${known.id}/refund`, signal)
      if (refund.status >= 400) throw rejected(refund.answer)
    },
    async printLabel(sheet, signal) {
      const url = new URL(sheet.labelUrl)
      if (!mayFetch(url, base, keys.labelHosts))
        throw unavailable('carrier_unavailable', `labels are not fetched from ${url.host}`)
      return download(url, AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]))
    },
    verify: (payload, signature) => verifyPlain(payload, signature, keys.webhookSecrets),
    parse(payload) {
      const parsed = event.safeParse(json(payload))
      if (!parsed.success) throw invalid('webhook_malformed', 'not an EasyPost event')
      const { id, description, result } = parsed.data
      if (!description.startsWith('tracker.')) return { eventId: id, trackingNo: undefined, scans: [] }
      const about = tracker.safeParse(result)
      if (!about.success) throw invalid('webhook_malformed', 'not an EasyPost tracker')
      return {
        eventId: id,
        trackingNo: about.data.tracking_code,
        scans: about.data.tracking_details.map(scanOf).filter((scan) => scan !== undefined),
      }
    },
  }
}

function request(order: LabelOrder, keys: EasyPostKeys, defaultOrigin: string) {
  return {
    reference: order.reference,
    to_address: addressOf(order.shipTo),
    from_address: addressOf({ ...keys.from, country: keys.from.country ?? defaultOrigin }),
    parcel: { weight: Math.max(0.1, Math.round((order.weightGrams / GRAMS_PER_OUNCE) * 10) / 10) },
    options: { label_format: 'PDF', label_size: '4x6', print_custom_1: order.orderNo },
  }
}

const addressOf = (address: Address) => ({
  name: address.name,
  street1: address.line1,
  street2: address.line2,
  city: address.city,
  state: address.state,
  zip: address.postalCode,
  country: address.country,
  phone: address.phone,
})

// A tracker's event repeats the whole history, and its details have no ids: their content is one.
function scanOf(given: z.infer<typeof detail>): Scan | undefined {
  const status = statuses[given.status]
  if (!status) return undefined
  const description = (given.message ?? '').slice(0, 200)
  const at = new Date(given.datetime)
  const id = createHash('sha256')
    .update(`${at.toISOString()}|${given.status}|${description}`)
    .digest('hex')
    .slice(0, 32)
  const { city, country } = given.tracking_location ?? {}
  return { id, status, description, location: [city, country].filter(Boolean).join(', ').slice(0, 100), occurredAt: at }
}

/** Labels are fetched from EasyPost's own hosts only, whatever an answer says. */
function mayFetch(url: URL, base: URL, hosts: readonly string[]): boolean {
  if (url.origin === base.origin) return true
  const isListed = hosts.includes(url.hostname) || /(^|\.)easypost(-files)?\.com$/.test(url.hostname)
  return (
    url.protocol === 'https:' && (isListed || /^easypost-files\.s3[.-]us-west-2\.amazonaws\.com$/.test(url.hostname))
  )
}

async function download(url: URL, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    const response = await fetch(url, { redirect: 'error', signal })
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`)
    for await (const part of response.body) {
      size += part.length
      if (size > LABEL_BYTES) throw new Error('too large')
      parts.push(part)
    }
  } catch (error) {
    throw unavailable('carrier_unavailable', `cannot fetch the label: ${(error as Error).message}`)
  }
  return Buffer.concat(parts)
}
