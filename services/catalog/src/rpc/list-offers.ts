import type { ListOffersRequest, ListOffersResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toVariantDetail } from '../db/messages.ts'
import { findVariants } from '../db/variants.ts'
import { rankOffers } from '../domain/offers.ts'

const MAX_OFFERS = 100
/** Rows looked at: those of hidden products and switched-off variants are among them. */
const MAX_ROWS = 500

export async function listOffers(ctx: CatalogContext, request: ListOffersRequest): Promise<ListOffersResponse> {
  const [tree, found] = await Promise.all([
    ctx.categories.recent(),
    findVariants(ctx, { barcode: request.barcode }, MAX_ROWS),
  ])
  const signals = new Map(request.signals.map((signal) => [signal.sku, signal]))
  const offers = found
    .filter(({ product, variant }) => product.visible && variant.isActive && variant.barcode === request.barcode)
    .map(({ product, variant }) => {
      const signal = signals.get(variant.sku)
      const { currency } = variant.price
      return {
        product,
        variant,
        sku: variant.sku,
        currency,
        priceMinor: variant.price.minor,
        ratingAvg: product.ratingAvg,
        ratingCount: product.ratingCount,
        available: signal?.available,
        deliveryMinor: signal?.delivery?.currency === currency ? signal.delivery.minor : undefined,
        deliveryDays: signal?.deliveryDays,
      }
    })
  return {
    offers: rankOffers(offers, ctx.offerWeights)
      .slice(0, MAX_OFFERS)
      .map(({ offer, score, featured }) => ({
        variant: toVariantDetail(ctx.media, tree, offer.product, offer.variant),
        score,
        featured,
      })),
  }
}
