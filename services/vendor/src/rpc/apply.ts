import { type Call, requireUser } from '@haat/kit/call'
import { conflict } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import { violatedConstraint } from '@haat/kit/postgres'
import { VendorApplied } from '@haat/proto/vendor/v1/events'
import type { ApplyRequest, ApplyResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { findMembership, toVendor } from '../db/vendors.ts'
import { slugOf } from '../domain/slug.ts'
import { checkCountry, checkCurrency } from './checks.ts'

export async function apply(ctx: VendorContext, request: ApplyRequest, call: Call): Promise<ApplyResponse> {
  const userId = requireUser(call)
  const shipsFrom = request.shipsFrom!
  checkCountry(shipsFrom.country)
  checkCurrency(request.defaultCurrency)
  if (await findMembership(ctx.db, userId)) throw vendorExists()
  const rules = await ctx.rules.current()
  const id = newId()
  const suffix = id.slice(-6)
  const made = slugOf(request.name) ?? `vendor-${suffix}`

  const insert = (slug: string) =>
    ctx.db.transaction().execute(async (tx) => {
      const vendor = await tx
        .insertInto('vendors')
        .values({
          id,
          owner_user_id: userId,
          name: request.name,
          slug,
          description: request.description,
          logo_url: request.logoUrl ?? '',
          status: 'pending',
          support_email: request.supportEmail,
          support_phone: request.supportPhone ?? '',
          default_currency: request.defaultCurrency,
          ships_from_country: shipsFrom.country,
          ships_from_postal_code: shipsFrom.postalCode,
          approved_at: null,
          bank_changed_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await tx
        .insertInto('vendor_members')
        .values({ vendor_id: id, user_id: userId, is_owner: true, permissions: ['*'], email: '' })
        .execute()
      await emit(tx, VendorApplied, {
        vendorId: id,
        ownerUserId: userId,
        name: vendor.name,
        slug,
        supportEmail: vendor.support_email,
      })
      return { vendor: toVendor(vendor, rules) }
    })

  try {
    return await insert(request.slug ?? made).catch((error) => {
      // A slug nobody chose may be another one; the id's own end makes it unique.
      if (request.slug || violatedConstraint(error) !== 'vendors_slug') throw error
      return insert(`${made}-${suffix}`)
    })
  } catch (error) {
    const constraint = violatedConstraint(error)
    if (constraint === 'vendors_slug') throw conflict('slug_taken', 'another vendor has this slug')
    if (constraint === 'vendor_members_user_id') throw vendorExists()
    throw error
  }
}

const vendorExists = () => conflict('vendor_exists', 'you own or work for a vendor already')
