import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { denied, failedPrecondition, notFound } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { violatedConstraint } from '@haat/kit/postgres'
import { VendorMemberAdded } from '@haat/proto/vendor/v1/events'
import type { InviteMemberRequest, InviteMemberResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { lockVendor, toMember } from '../db/vendors.ts'
import { requireScope } from './access.ts'

export async function inviteMember(
  ctx: VendorContext,
  request: InviteMemberRequest,
  call: Call,
): Promise<InviteMemberResponse> {
  const vendorId = requireScope(call, request.vendorId, 'members.write', ['vendors.write'])
  const permissions = request.permissions.toSorted()
  const held = call.caller.vendorPermissions
  if (!isStaff(call, 'vendors.write') && !held.includes('*')) {
    const lacking = permissions.filter((permission) => !held.includes(permission))
    if (lacking.length)
      throw denied('permission_forbidden', 'you cannot give what you do not have', { permissions: lacking })
  }
  const { user } = await ctx.auth.lookupUser({ email: request.email })
  if (!user) throw notFound('user_not_found', 'nobody has this e-mail address')
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const vendor = await lockVendor(tx, vendorId)
      if (vendor.status !== 'active') throw failedPrecondition('vendor_not_active', 'the vendor is not active')
      if (vendor.owner_user_id === user.id) throw failedPrecondition('member_is_owner', 'the owner has all permissions')
      const email = request.email.toLowerCase()
      const member = await tx
        .insertInto('vendor_members')
        .values({ vendor_id: vendorId, user_id: user.id, is_owner: false, permissions, email })
        .onConflict((c) => c.columns(['vendor_id', 'user_id']).doUpdateSet({ permissions, email }))
        .returningAll()
        .executeTakeFirstOrThrow()
      await emit(tx, VendorMemberAdded, { vendorId, vendorName: vendor.name, userId: user.id, email, permissions })
      return { member: toMember(member) }
    })
  } catch (error) {
    if (violatedConstraint(error) === 'vendor_members_user_id')
      throw failedPrecondition('member_elsewhere', 'the person works for another vendor')
    throw error
  }
}
