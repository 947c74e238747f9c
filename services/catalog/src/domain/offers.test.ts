import { expect, test } from 'vitest'
import { defaultOfferWeights, type OfferInput, offerWeights, rankOffers } from './offers.ts'

const offer = (sku: string, more: Partial<OfferInput> = {}): OfferInput => ({
  sku,
  currency: 'BDT',
  priceMinor: 100n,
  ratingAvg: 0,
  ratingCount: 0,
  available: undefined,
  deliveryMinor: undefined,
  deliveryDays: undefined,
  ...more,
})
const weights = offerWeights('{}')!
const rank = (...offers: OfferInput[]) => rankOffers(offers, weights).map((r) => r.offer.sku)

test('weights are shares of one, and nonsense is none', () => {
  expect(Object.values(weights).reduce((a, b) => a + b)).toBeCloseTo(1)
  expect(weights.price).toBeCloseTo(defaultOfferWeights.price / 10)
  for (const text of [
    'x',
    '{"price":-1}',
    '{"price":"a"}',
    '{"price":0,"rating":0,"stock":0,"delivery":0}',
    '{"price":null,"rating":0,"stock":0,"delivery":0}',
  ])
    expect(offerWeights(text)).toBeUndefined()
})

test('each part counts: cheaper, better rated, more in stock, faster', () => {
  expect(rank(offer('dear', { priceMinor: 200n }), offer('cheap'))).toEqual(['cheap', 'dear'])
  expect(
    rank(offer('bad', { ratingAvg: 1, ratingCount: 50 }), offer('good', { ratingAvg: 5, ratingCount: 50 })),
  ).toEqual(['good', 'bad'])
  expect(rank(offer('few', { available: 1 }), offer('many', { available: 99 }))).toEqual(['many', 'few'])
  expect(rank(offer('slow', { deliveryDays: 8 }), offer('fast', { deliveryDays: 1 }))).toEqual(['fast', 'slow'])
})

test('delivery joins the price only where every offer tells it', () => {
  const [a, b] = [offer('a', { deliveryMinor: 500n }), offer('b', { priceMinor: 120n, deliveryMinor: 0n })]
  expect(rank(a, b)).toEqual(['b', 'a'])
  expect(rank(a, { ...b, deliveryMinor: undefined })).toEqual(['a', 'b'])
})

test('one rating does not beat many good ones', () => {
  const lucky = offer('lucky', { ratingAvg: 5, ratingCount: 1 })
  expect(rank(lucky, offer('proven', { ratingAvg: 4.8, ratingCount: 400 }))).toEqual(['proven', 'lucky'])
})

test('the featured offer is the best that is not known to be sold out; ties go by SKU; scores stay within 0 and 1', () => {
  const ranked = rankOffers(
    [offer('b', { priceMinor: 0n }), offer('a', { priceMinor: 0n }), offer('gone', { available: 0, priceMinor: 0n })],
    weights,
  )
  expect(ranked.map((r) => [r.offer.sku, r.featured])).toEqual([
    ['a', true],
    ['b', false],
    ['gone', false],
  ])
  expect(ranked.every((r) => r.score >= 0 && r.score <= 1)).toBe(true)
  expect(rankOffers([offer('gone', { available: 0 })], weights)[0]?.featured).toBe(false)
  expect(rankOffers([], weights)).toEqual([])
})
