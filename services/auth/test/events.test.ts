import type { EventMessage } from '@haat/kit/events/definition'
import { createEnvelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { UserStatus } from '@haat/proto/auth/v1/auth'
import { UserRolesChanged } from '@haat/proto/auth/v1/events'
import { ProfileUpdated, UserForgotten } from '@haat/proto/profile/v1/events'
import {
  VendorApproved,
  VendorMemberAdded,
  VendorMemberRemoved,
  VendorRejected,
  VendorSuspended,
} from '@haat/proto/vendor/v1/events'
import { expect, test } from 'vitest'
import { PASSWORD, startHarness } from './harness.ts'

const h = await startHarness()
const send = <Data>(message: EventMessage<Data>, data: NoInfer<Data>, sequence: number) =>
  h.test.publishRaw(createEnvelope(message, data, { sequence }))

/** A vendor's events as the vendor service publishes them. */
function vendorOf(ownerUserId: string, vendorId = newId()) {
  const about = {
    vendorId,
    ownerUserId,
    name: 'Nakshi',
    slug: 'nakshi',
    supportEmail: 'help@nakshi.test',
    reason: 'ok',
  }
  type Member = { userId: string; permissions: string[] }
  const owner = { userId: ownerUserId, permissions: ['*'] }
  return {
    vendorId,
    approved: (sequence: number, ...members: Member[]) =>
      send(
        VendorApproved,
        VendorApproved.fromPartial({ ...about, members: [owner, ...members], logoUrl: '' }),
        sequence,
      ),
    suspended: (sequence: number) => send(VendorSuspended, about, sequence),
    rejected: (sequence: number) => send(VendorRejected, about, sequence),
    added: (sequence: number, member: Member) =>
      send(VendorMemberAdded, { vendorId, vendorName: 'Nakshi', email: 'm@haat.test', ...member }, sequence),
    removed: (sequence: number, userId: string) =>
      send(VendorMemberRemoved, { vendorId, vendorName: 'Nakshi', userId }, sequence),
  }
}

/** What the person's next token says of a vendor. */
async function atVendor(who: { email: string }) {
  const { claims } = await h.login(who.email)
  return {
    vendorId: claims.vendorId,
    vendorPermissions: claims.vendorPermissions,
    isVendorAdmin: claims.roles?.includes('vendor_admin'),
  }
}
const nowhere = { vendorId: undefined, vendorPermissions: undefined, isVendorAdmin: false }

test('an approved vendor is in its members’ tokens; the owner is vendor_admin', async () => {
  const [owner, clerk] = [await h.register(), await h.register()]
  const vendor = vendorOf(owner.userId)
  await vendor.approved(3, { userId: clerk.userId, permissions: ['orders.write', 'orders.read'] })
  expect(await atVendor(owner)).toEqual({ vendorId: vendor.vendorId, vendorPermissions: ['*'], isVendorAdmin: true })
  expect(await atVendor(clerk)).toEqual({
    vendorId: vendor.vendorId,
    vendorPermissions: ['orders.read', 'orders.write'],
    isVendorAdmin: false,
  })
  const changes = (await h.test.emitted(UserRolesChanged)).filter((e) => e.data.userId === owner.userId)
  expect(changes.map((e) => e.data)).toEqual([
    { userId: owner.userId, roles: ['customer', 'vendor_admin'], assigned: ['vendor_admin'], revoked: [] },
  ])
  const staff = await h.withRoles('staff')
  expect((await staff.client.listUsers({ vendorId: vendor.vendorId })).users.map((u) => u.id)).toEqual([
    clerk.userId,
    owner.userId,
  ])
})

test.each(['suspended', 'rejected'] as const)(
  'a %s vendor leaves its members’ tokens, and comes back with a new approval',
  async (end) => {
    const [owner, clerk] = [await h.register(), await h.register()]
    const vendor = vendorOf(owner.userId)
    const member = { userId: clerk.userId, permissions: ['orders.read'] }
    await vendor.approved(1, member)
    await vendor[end](2)
    expect(await atVendor(owner)).toEqual(nowhere)
    expect(await atVendor(clerk)).toEqual(nowhere)
    await vendor.approved(3, member)
    expect(await atVendor(owner)).toMatchObject({ isVendorAdmin: true })
    expect(await atVendor(clerk)).toMatchObject({ vendorId: vendor.vendorId })
  },
)

test('a member who is added to an active vendor works there until removed; a repeat replaces the permissions', async () => {
  const [owner, clerk] = [await h.register(), await h.register()]
  const vendor = vendorOf(owner.userId)
  await vendor.approved(1)
  await vendor.added(2, { userId: clerk.userId, permissions: ['orders.read'] })
  expect(await atVendor(clerk)).toMatchObject({ vendorPermissions: ['orders.read'] })
  await vendor.added(3, { userId: clerk.userId, permissions: ['catalog.write'] })
  expect(await atVendor(clerk)).toMatchObject({ vendorPermissions: ['catalog.write'] })
  await vendor.removed(4, clerk.userId)
  expect(await atVendor(clerk)).toEqual(nowhere)
})

test('events of a vendor in any order end in the same tokens', async () => {
  const ends: unknown[] = []
  const orders = [
    [0, 1, 2, 3, 4],
    [4, 3, 2, 1, 0],
    [2, 4, 0, 3, 1],
    [3, 0, 4, 1, 2],
  ]
  for (const order of orders) {
    const [owner, clerk, gone] = [await h.register(), await h.register(), await h.register()]
    const vendor = vendorOf(owner.userId)
    const clerkAs = (...permissions: string[]) => ({ userId: clerk.userId, permissions })
    const history = [
      () => vendor.added(1, { userId: gone.userId, permissions: ['orders.read'] }),
      () => vendor.added(2, clerkAs('orders.read')),
      () => vendor.suspended(4),
      () => vendor.approved(5, clerkAs('orders.read')),
      () => vendor.added(6, clerkAs('orders.write')),
    ]
    for (const step of order) await history[step]!()
    const end = [await atVendor(owner), await atVendor(clerk), await atVendor(gone)]
    ends.push(end.map((e) => ({ ...e, vendorId: e.vendorId === vendor.vendorId })))
  }
  expect(ends[0]).toMatchObject([{ isVendorAdmin: true }, { vendorPermissions: ['orders.write'] }, { vendorId: false }])
  for (const end of ends) expect(end).toEqual(ends[0])
})

test('losing one vendor, a person still works for the other', async () => {
  const [owner, clerk] = [await h.register(), await h.register()]
  const [one, two] = [vendorOf(owner.userId), vendorOf((await h.register()).userId)]
  const member = { userId: clerk.userId, permissions: ['orders.read'] }
  await one.approved(1, member)
  await two.approved(1, member)
  expect(await atVendor(clerk)).toMatchObject({ vendorId: one.vendorId })
  await one.suspended(2)
  expect(await atVendor(clerk)).toMatchObject({ vendorId: two.vendorId })
  await one.approved(3, member)
  expect(await atVendor(clerk)).toMatchObject({ vendorId: two.vendorId })
})

test('name and language follow the profile; a late change does not undo a newer one', async () => {
  const who = await h.register()
  const change = (name: string, locale: string, sequence: number) =>
    send(ProfileUpdated, { userId: who.userId, name, phone: '', locale, marketingOptIn: false }, sequence)
  await change('Rahima Begum', 'bn', 7)
  await change('Old Name', 'en', 5)
  expect((await who.client.getMe({})).user).toMatchObject({ name: 'Rahima Begum', locale: 'bn' })
})

test('a person who left is blanked everywhere in auth, cannot come back, and their address is free again', async () => {
  const who = await h.register()
  const vendor = vendorOf(who.userId)
  await vendor.approved(1)
  await h.anyone.forgotPassword({ email: who.email })
  const token = (await h.resetToken(who.email))!
  const forget = createEnvelope(UserForgotten, { userId: who.userId, forgottenAt: new Date() }, { sequence: 2 })
  await h.test.publishRaw(forget)
  await h.test.publishRaw({ ...forget, eventId: newId() })

  await expect(who.client.getMe({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(h.anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject({
    code: 'refresh_token_invalid',
  })
  await expect(h.anyone.login({ email: who.email, password: PASSWORD })).rejects.toMatchObject({
    code: 'credentials_invalid',
  })
  await expect(h.anyone.resetPassword({ token, newPassword: 'tea garden sylhet 9' })).rejects.toMatchObject({
    code: 'reset_token_invalid',
  })
  const admin = await h.admin()
  const { user } = await admin.client.getUser({ userId: who.userId })
  expect(user).toMatchObject({ email: '', name: '', roles: [], vendorPermissions: [], status: UserStatus.BLOCKED })
  await expect(
    admin.client.setUserStatus({ userId: who.userId, status: UserStatus.ACTIVE, reason: 'x' }),
  ).rejects.toMatchObject({ code: 'user_not_found' })
  await send(ProfileUpdated, { userId: who.userId, name: 'Back', phone: '', locale: 'en', marketingOptIn: false }, 9)
  await vendor.approved(8)
  expect((await admin.client.getUser({ userId: who.userId })).user).toEqual(user)
  expect((await h.register(who.email)).userId).not.toBe(who.userId)
})
