import { bayesianRating } from './derive.ts'

export type OfferWeights = { price: number; rating: number; stock: number; delivery: number }

export const defaultOfferWeights: OfferWeights = { price: 4, rating: 3, stock: 2, delivery: 1 }

/** Weights from JSON, as shares of 1; undefined when the text is none. */
export function offerWeights(text: string): OfferWeights | undefined {
  try {
    const given = { ...defaultOfferWeights, ...(JSON.parse(text) as Partial<OfferWeights>) }
    const parts = Object.keys(defaultOfferWeights).map((part) => given[part as keyof OfferWeights])
    const sum = parts.reduce((total, weight) => total + weight, 0)
    if (!parts.every((weight) => Number.isFinite(weight) && weight >= 0) || sum <= 0) return undefined
    const { price, rating, stock, delivery } = given
    return { price: price / sum, rating: rating / sum, stock: stock / sum, delivery: delivery / sum }
  } catch {
    return undefined
  }
}

/** One vendor's offer of an item, with what is known about getting it. */
export type OfferInput = {
  sku: string
  currency: string
  priceMinor: bigint
  ratingAvg: number
  ratingCount: number
  available: number | undefined
  deliveryMinor: bigint | undefined
  deliveryDays: number | undefined
}

const UNKNOWN = 0.5
const PLENTY = 10

/**
 * Offers of one item with their scores, best first. Prices compare within a currency, and with delivery only when every offer
 * of that currency says what delivery costs.
 */
export function rankOffers<Offer extends OfferInput>(offers: readonly Offer[], weights: OfferWeights) {
  const withDelivery = new Set(offers.map((offer) => offer.currency))
  for (const offer of offers) if (offer.deliveryMinor === undefined) withDelivery.delete(offer.currency)
  const cost = (offer: Offer) =>
    Number(offer.priceMinor + (withDelivery.has(offer.currency) ? (offer.deliveryMinor ?? 0n) : 0n))
  const cheapest = (currency: string) => Math.min(...offers.filter((offer) => offer.currency === currency).map(cost))
  const days = offers.flatMap((offer) => (offer.deliveryDays === undefined ? [] : [offer.deliveryDays]))
  const fastest = Math.min(...days)
  const score = (offer: Offer) =>
    weights.price * share(cheapest(offer.currency), cost(offer)) +
    weights.rating * (offer.ratingCount ? bayesianRating(offer.ratingAvg, offer.ratingCount) / 5 : UNKNOWN) +
    weights.stock * (offer.available === undefined ? UNKNOWN : Math.min(offer.available, PLENTY) / PLENTY) +
    weights.delivery * (offer.deliveryDays === undefined ? UNKNOWN : share(fastest, offer.deliveryDays))
  const ranked = offers
    .map((offer) => ({ offer, score: score(offer), featured: false }))
    .sort((a, b) => b.score - a.score || (a.offer.sku < b.offer.sku ? -1 : 1))
  const featured = ranked.find(({ offer }) => offer.available !== 0)
  if (featured) featured.featured = true
  return ranked
}

const share = (best: number, own: number) => (own <= 0 ? 1 : best / own)
