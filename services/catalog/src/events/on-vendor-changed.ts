import type { Event } from '@haat/kit/events/envelope'
import type { VendorApproved, VendorRejected, VendorSuspended, VendorUpdated } from '@haat/proto/vendor/v1/events'
import { VendorStatus } from '@haat/proto/vendor/v1/vendor'
import type { CatalogContext } from '../context.ts'
import { applyVendorEvent } from '../db/vendors.ts'

type Named = { vendorId: string; name: string; slug: string }

const apply = (ctx: CatalogContext, event: Event<Named>, isActive: boolean) =>
  applyVendorEvent(ctx, {
    _id: event.data.vendorId,
    name: event.data.name,
    slug: event.data.slug,
    isActive,
    sequence: event.envelope.aggregate.sequence,
  })

/** Shows the vendor's live products. */
export const onVendorApproved = (ctx: CatalogContext, event: Event<VendorApproved>) => apply(ctx, event, true)

/** Hides them. */
export const onVendorEnded = (ctx: CatalogContext, event: Event<VendorSuspended | VendorRejected>) =>
  apply(ctx, event, false)

/** Keeps the slug that imports name the vendor by. */
export const onVendorUpdated = (ctx: CatalogContext, event: Event<VendorUpdated>) =>
  apply(ctx, event, event.data.status === VendorStatus.ACTIVE)
