import type { Call } from '@haat/kit/call'
import { conflict, failedPrecondition } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { violatedConstraint } from '@haat/kit/postgres'
import { VendorUpdated } from '@haat/proto/vendor/v1/events'
import type { UpdateVendorRequest, UpdateVendorResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import type { VendorRow } from '../db/schema.ts'
import { lockVendor, shipsFromOf, statuses, toVendor } from '../db/vendors.ts'
import { requireMember } from './access.ts'
import { checkCountry, checkCurrency } from './checks.ts'

export async function updateVendor(
  ctx: VendorContext,
  request: UpdateVendorRequest,
  call: Call,
): Promise<UpdateVendorResponse> {
  await requireMember(ctx, call, request.vendorId, { permission: 'profile.write', staff: 'vendors.write' })
  if (request.shipsFrom) checkCountry(request.shipsFrom.country)
  if (request.defaultCurrency !== undefined) checkCurrency(request.defaultCurrency)
  const rules = await ctx.rules.current()
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const before = await lockVendor(tx, request.vendorId)
      if (request.slug !== undefined && request.slug !== before.slug && before.approved_at)
        throw failedPrecondition('slug_fixed', 'the slug is part of public addresses by now')
      const wanted = {
        name: request.name ?? before.name,
        slug: request.slug ?? before.slug,
        description: request.description ?? before.description,
        logo_url: request.logoUrl ?? before.logo_url,
        support_email: request.supportEmail ?? before.support_email,
        support_phone: request.supportPhone ?? before.support_phone,
        default_currency: request.defaultCurrency ?? before.default_currency,
        ships_from_country: request.shipsFrom?.country ?? before.ships_from_country,
        ships_from_postal_code: request.shipsFrom?.postalCode ?? before.ships_from_postal_code,
      } satisfies Partial<VendorRow>
      const changed = (Object.keys(wanted) as (keyof typeof wanted)[]).some((field) => wanted[field] !== before[field])
      if (!changed) return { vendor: toVendor(before, rules) }
      const after = await tx
        .updateTable('vendors')
        .set({ ...wanted, updated_at: ctx.now() })
        .where('id', '=', before.id)
        .returningAll()
        .executeTakeFirstOrThrow()
      await emit(tx, VendorUpdated, {
        vendorId: after.id,
        ownerUserId: after.owner_user_id,
        name: after.name,
        slug: after.slug,
        supportEmail: after.support_email,
        description: after.description,
        logoUrl: after.logo_url,
        status: statuses.fromName(after.status),
        shipsFrom: shipsFromOf(after),
        defaultCurrency: after.default_currency,
      })
      return { vendor: toVendor(after, rules) }
    })
  } catch (error) {
    if (violatedConstraint(error) === 'vendors_slug') throw conflict('slug_taken', 'another vendor has this slug')
    throw error
  }
}
