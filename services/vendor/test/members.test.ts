import { newId } from '@haat/kit/id'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { VendorApproved, VendorMemberAdded, VendorMemberRemoved } from '@haat/proto/vendor/v1/events'
import { VendorStatus } from '@haat/proto/vendor/v1/vendor'
import { vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()

function person(): { email: string; userId: string } {
  const userId = newId()
  const email = `p${userId.slice(-12)}@mail.example`
  h.users.set(email, userId)
  return { email, userId }
}

test('an invited person is a member with these permissions; a repeat replaces them, in order', async () => {
  const { client, vendorId } = await h.active()
  const { email, userId } = person()
  const { member } = await client.inviteMember({
    vendorId,
    email: email.toUpperCase(),
    permissions: ['orders.write', 'orders.read'],
  })
  expect(member).toMatchObject({ userId, isOwner: false, permissions: ['orders.read', 'orders.write'], email })
  await client.inviteMember({ vendorId, email, permissions: ['catalog.write'] })
  const added = (await h.emitted(VendorMemberAdded)).filter((event) => event.data.userId === userId)
  expect(added.map((event) => event.data.permissions)).toEqual([['orders.read', 'orders.write'], ['catalog.write']])
  const [first, second] = added.map((event) => event.envelope.aggregate.sequence)
  expect(first!).toBeLessThan(second!)
  const { members } = await client.listMembers({ vendorId })
  expect(members.map((m) => [m.isOwner, m.permissions])).toEqual([
    [true, ['*']],
    [false, ['catalog.write']],
  ])
})

test('nobody gives what they do not have, and only members.write invites', async () => {
  const { vendorId } = await h.active()
  const { email } = person()
  const clerk = h.as(await vendorMember(vendorId, ['members.write', 'orders.read']))
  await expect(
    clerk.inviteMember({ vendorId, email, permissions: ['orders.read', 'payouts.request'] }),
  ).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
    code: 'permission_forbidden',
    details: { permissions: ['payouts.request'] },
  })
  await clerk.inviteMember({ vendorId, email, permissions: ['orders.read'] })
  const reader = h.as(await vendorMember(vendorId, ['orders.read']))
  await expect(reader.inviteMember({ vendorId, email, permissions: ['orders.read'] })).rejects.toMatchObject({
    code: 'permission_missing',
  })
  await expect(clerk.inviteMember({ vendorId, email, permissions: ['*'] })).rejects.toMatchObject({
    code: 'request_invalid',
  })
  await h.reviewer.inviteMember({ vendorId, email, permissions: ['payouts.request'] })
})

test('a person works for one vendor at most, and the owner is no staff', async () => {
  const [one, two] = [await h.active(), await h.active()]
  const { email } = person()
  const permissions = ['orders.read']
  await one.client.inviteMember({ vendorId: one.vendorId, email, permissions })
  await expect(two.client.inviteMember({ vendorId: two.vendorId, email, permissions })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'member_elsewhere',
  })
  h.users.set('owner@one.example', one.userId)
  const owner = { email: 'owner@one.example', permissions }
  await expect(one.client.inviteMember({ ...owner, vendorId: one.vendorId })).rejects.toMatchObject({
    code: 'member_is_owner',
  })
  await expect(two.client.inviteMember({ ...owner, vendorId: two.vendorId })).rejects.toMatchObject({
    code: 'member_elsewhere',
  })
  await expect(
    one.client.inviteMember({ vendorId: one.vendorId, email: 'nobody@x.example', permissions }),
  ).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'user_not_found' })
})

test('a suspended vendor invites nobody, and a return brings all members back', async () => {
  const { client, vendorId, userId } = await h.active()
  const clerk = person()
  await client.inviteMember({ vendorId, email: clerk.email, permissions: ['orders.read'] })
  await h.reviewer.setVendorStatus({ vendorId, status: VendorStatus.SUSPENDED, reason: 'late parcels' })
  await expect(
    client.inviteMember({ vendorId, email: person().email, permissions: ['orders.read'] }),
  ).rejects.toMatchObject({
    code: 'vendor_not_active',
  })
  await h.reviewer.setVendorStatus({ vendorId, status: VendorStatus.ACTIVE, reason: 'better' })
  const approved = (await h.emitted(VendorApproved)).filter((event) => event.data.vendorId === vendorId)
  expect(approved.at(-1)?.data.members).toEqual([
    { userId, permissions: ['*'] },
    { userId: clerk.userId, permissions: ['orders.read'] },
  ])
})

test('a member leaves once; the owner stays; another vendor’s members are out of reach', async () => {
  const [one, two] = [await h.active(), await h.active()]
  const { vendorId } = one
  const clerk = person()
  await one.client.inviteMember({ vendorId, email: clerk.email, permissions: ['orders.read'] })
  const remove = { vendorId, userId: clerk.userId }
  await expect(two.client.removeMember(remove)).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'vendor_not_found' })
  await expect(two.client.removeMember({ ...remove, vendorId: two.vendorId })).rejects.toMatchObject({
    code: 'member_not_found',
  })
  await one.client.removeMember(remove)
  await expect(one.client.removeMember(remove)).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'member_not_found' })
  await expect(one.client.removeMember({ vendorId, userId: one.userId })).rejects.toMatchObject({
    code: 'member_is_owner',
  })
  const removed = (await h.emitted(VendorMemberRemoved)).filter((event) => event.data.vendorId === vendorId)
  expect(removed.map((event) => event.data.userId)).toEqual([clerk.userId])
})

test('members are listed page by page, the owner first', async () => {
  const { client, vendorId, userId } = await h.active()
  for (let i = 0; i < 4; i++)
    await client.inviteMember({ vendorId, email: person().email, permissions: ['orders.read'] })
  const seen: string[] = []
  for (let pageToken = ''; ; ) {
    const page = await client.listMembers({ vendorId, pageSize: 2, pageToken })
    seen.push(...page.members.map((member) => member.userId))
    pageToken = page.nextPageToken
    if (!pageToken) break
  }
  expect(seen[0]).toBe(userId)
  expect(new Set(seen).size).toBe(5)
})

test('a forgotten member’s address is gone', async () => {
  const { client, vendorId } = await h.active()
  const clerk = person()
  await client.inviteMember({ vendorId, email: clerk.email, permissions: ['orders.read'] })
  await h.publish(UserForgotten, { userId: clerk.userId, forgottenAt: new Date() })
  const { members } = await client.listMembers({ vendorId })
  expect(members.find((member) => member.userId === clerk.userId)).toMatchObject({ email: '' })
  expect((await client.getVendor({ vendorId })).vendor).toMatchObject({
    status: VendorStatus.ACTIVE,
    supportEmail: 'help@shop.example',
  })
})
