import { newId } from '@haat/kit/id'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import {
  VendorApplied,
  VendorApproved,
  VendorBankReviewed,
  VendorKycReviewed,
  VendorRejected,
  VendorSuspended,
  VendorUpdated,
} from '@haat/proto/vendor/v1/events'
import { BankAccountStatus, KycDocStatus, KycDocType, VendorStatus } from '@haat/proto/vendor/v1/vendor'
import { customer, neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { application, IBAN, PDF, startHarness } from './harness.ts'

const h = await startHarness()
const of = <D extends { vendorId: string }>(events: { data: D }[], vendorId: string) =>
  events.map((event) => event.data).filter((data) => data.vendorId === vendorId)

test('applying makes the caller owner of a pending vendor that nobody else sees, and announces it', async () => {
  const person = await customer()
  const client = h.as(person)
  const { vendor } = await client.apply(application('Café Nila & Sons'))
  expect(vendor).toMatchObject({
    ownerUserId: person.userId,
    slug: 'cafe-nila-sons',
    status: VendorStatus.PENDING,
    statusReason: '',
    shipsFrom: { country: 'BD', postalCode: '1207' },
    approvedAt: undefined,
  })
  expect(await client.getMyVendor({})).toMatchObject({
    vendor: { id: vendor!.id },
    member: { isOwner: true, permissions: ['*'], email: '' },
    kycComplete: false,
    bankVerified: false,
  })
  expect(of(await h.emitted(VendorApplied), vendor!.id)).toMatchObject([
    { ownerUserId: person.userId, slug: 'cafe-nila-sons' },
  ])
  const vendorId = vendor!.id
  const stranger = h.as(await customer())
  await expect(stranger.getVendor({ vendorId })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'vendor_not_found',
  })
  await expect(stranger.getMyVendor({})).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(h.anyone.getVendorBySlug({ slug: vendor!.slug })).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(h.anyone.apply(application('X y'))).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})

test('a person has one vendor at most, however often and fast they apply', async () => {
  const client = h.as(await customer())
  const answers = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => client.apply(application(`Rush ${i}`))))
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1)
  for (const answer of answers)
    if (answer.status === 'rejected')
      expect(answer.reason).toMatchObject({ status: 'ALREADY_EXISTS', code: 'vendor_exists' })
})

test('a chosen slug is taken once; a slug made from the name finds a free one', async () => {
  const apply = async (name: string, slug?: string) => {
    const { vendor } = await h.as(await customer()).apply(application(name, slug ? { slug } : {}))
    return vendor!.slug
  }
  expect(await apply('Twin')).toBe('twin')
  expect(await apply('Twin')).toMatch(/^twin-[0-9a-f]{6}$/)
  expect(await apply('নীলা')).toMatch(/^vendor-[0-9a-f]{6}$/)
  await expect(apply('Other', 'twin')).rejects.toMatchObject({ status: 'ALREADY_EXISTS', code: 'slug_taken' })
})

test('a country or currency that does not exist is refused', async () => {
  const client = h.as(await customer())
  const shipsFrom = { country: 'XK', postalCode: '' }
  await expect(client.apply(application('Nowhere', { shipsFrom }))).rejects.toMatchObject({ code: 'country_unknown' })
  await expect(client.apply(application('Nothing', { defaultCurrency: 'XQX' }))).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'currency_unknown',
  })
})

test('a vendor becomes active only with accepted KYC, nothing pending, and a verified default account', async () => {
  const { client, vendorId, userId } = await h.applied()
  const activate = () => h.reviewer.setVendorStatus({ vendorId, status: VendorStatus.ACTIVE, reason: 'all good' })
  await expect(activate()).rejects.toMatchObject({ status: 'FAILED_PRECONDITION', code: 'kyc_incomplete' })
  const first = await h.addDocument(client, vendorId)
  const second = await h.addDocument(client, vendorId)
  await h.reviewer.reviewKycDocument({ documentId: first.id, decision: KycDocStatus.ACCEPTED, reason: '' })
  await expect(activate()).rejects.toMatchObject({ code: 'kyc_incomplete' })
  await h.reviewer.reviewKycDocument({ documentId: second.id, decision: KycDocStatus.REJECTED, reason: 'blurred' })
  await expect(activate()).rejects.toMatchObject({ code: 'bank_unverified' })
  const account = await h.addAccount(client, vendorId)
  await expect(activate()).rejects.toMatchObject({ code: 'bank_unverified' })
  await h.reviewer.verifyBankAccount({ bankAccountId: account.id, verified: true, reason: '' })
  expect(await client.getMyVendor({})).toMatchObject({ kycComplete: true, bankVerified: true })

  const { vendor } = await activate()
  expect(vendor).toMatchObject({ status: VendorStatus.ACTIVE, statusReason: 'all good', approvedAt: expect.any(Date) })
  expect((await h.anyone.getVendorBySlug({ slug: vendor!.slug })).vendor).toMatchObject({ id: vendorId })
  expect(of(await h.emitted(VendorApproved), vendorId)).toMatchObject([
    { reason: 'all good', members: [{ userId, permissions: ['*'] }], shipsFrom: { country: 'BD' } },
  ])
  expect(of(await h.emitted(VendorKycReviewed), vendorId)).toMatchObject([
    { accepted: true, docType: KycDocType.PASSPORT },
    { accepted: false, reason: 'blurred' },
  ])
  expect(of(await h.emitted(VendorBankReviewed), vendorId)).toMatchObject([{ verified: true, last4: '3000' }])
})

test('a vendor moves along the contract only, each move is told once and kept in the history', async () => {
  const { vendorId } = await h.active()
  const move = (status: VendorStatus) => h.reviewer.setVendorStatus({ vendorId, status, reason: `to ${status}` })
  for (const status of [VendorStatus.ACTIVE, VendorStatus.PENDING, VendorStatus.REJECTED])
    await expect(move(status)).rejects.toMatchObject({ status: 'FAILED_PRECONDITION', code: 'vendor_status_conflict' })
  const races = await Promise.allSettled(Array.from({ length: 5 }, () => move(VendorStatus.SUSPENDED)))
  expect(races.filter((race) => race.status === 'fulfilled')).toHaveLength(1)
  await move(VendorStatus.REJECTED)
  await move(VendorStatus.PENDING)
  expect(of(await h.emitted(VendorSuspended), vendorId)).toHaveLength(1)
  expect(of(await h.emitted(VendorRejected), vendorId)).toHaveLength(1)
  expect(of(await h.emitted(VendorApplied), vendorId)).toHaveLength(2)

  const first = await h.reviewer.listStatusHistory({ vendorId, pageSize: 3 })
  const rest = await h.reviewer.listStatusHistory({ vendorId, pageSize: 3, pageToken: first.nextPageToken })
  expect([...first.changes, ...rest.changes].map(({ from, to }) => [from, to])).toEqual([
    [VendorStatus.REJECTED, VendorStatus.PENDING],
    [VendorStatus.SUSPENDED, VendorStatus.REJECTED],
    [VendorStatus.ACTIVE, VendorStatus.SUSPENDED],
    [VendorStatus.PENDING, VendorStatus.ACTIVE],
  ])
  await expect(h.db.updateTable('vendor_status_history').set({ reason: 'x' }).execute()).rejects.toThrow('append-only')
  await expect(h.reviewer.listStatusHistory({ vendorId: newId() })).rejects.toMatchObject({ code: 'vendor_not_found' })
})

test('only reviewers move a vendor, and a reason is needed', async () => {
  const { client, vendorId } = await h.ready()
  const request = { vendorId, status: VendorStatus.ACTIVE, reason: 'me' }
  await expect(client.setVendorStatus(request)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.reviewer.setVendorStatus({ ...request, reason: '' })).rejects.toMatchObject({
    code: 'request_invalid',
  })
  await expect(h.reviewer.setVendorStatus({ ...request, vendorId: newId() })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
})

test('a change of the profile is announced once, and the slug is fixed after the first approval', async () => {
  const { client, vendorId } = await h.ready()
  const slug = `fresh-${vendorId.slice(-8)}`
  await client.updateVendor({
    vendorId,
    name: 'New name',
    slug,
    supportPhone: '',
    shipsFrom: { country: 'IN', postalCode: '' },
  })
  await client.updateVendor({ vendorId, name: 'New name' })
  expect(of(await h.emitted(VendorUpdated), vendorId)).toMatchObject([
    { name: 'New name', slug, status: VendorStatus.PENDING, shipsFrom: { country: 'IN' } },
  ])
  await h.reviewer.setVendorStatus({ vendorId, status: VendorStatus.ACTIVE, reason: 'ok' })
  await expect(client.updateVendor({ vendorId, slug: 'another' })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'slug_fixed',
  })
  const other = await h.applied()
  await expect(other.client.updateVendor({ vendorId: other.vendorId, slug })).rejects.toMatchObject({
    code: 'slug_taken',
  })
  await expect(other.client.updateVendor({ vendorId, name: 'Mine now' })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
  await expect(client.updateVendor({ vendorId, shipsFrom: { country: 'UK', postalCode: '' } })).rejects.toMatchObject({
    code: 'country_unknown',
  })
  await h.reviewer.updateVendor({ vendorId, description: 'by staff' })
  expect((await client.getVendor({ vendorId })).vendor).toMatchObject({ name: 'New name', description: 'by staff' })
})

test('a service that came along gives a person nothing that is not theirs', async () => {
  const { vendorId } = await h.active()
  const other = await neighbour('order')
  const client = h.as({ ...other, ...(await customer()) })
  await expect(client.getVendor({ vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(client.listVendors({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(client.getCommissionRules({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(client.listMembers({ vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(client.listEarnings({ vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
  const clerk = h.as({ ...other, ...(await vendorMember(vendorId, ['orders.read'])) })
  await expect(clerk.listEarnings({ vendorId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(clerk.getBalance({ vendorId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const portal = h.as(await neighbour('bff-storefront'))
  await expect(portal.getVendor({ vendorId })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  expect((await h.as(other).getVendor({ vendorId })).vendor).toMatchObject({ id: vendorId })
})

test('anybody reads the public part of vendors by id, and nothing more', async () => {
  const [one, two] = [await h.applied(), await h.active()]
  const { vendors } = await h.anyone.batchGetVendors({ vendorIds: [one.vendorId, two.vendorId, newId()] })
  expect(vendors.map((vendor) => vendor.id).toSorted()).toEqual([one.vendorId, two.vendorId].toSorted())
  expect(Object.keys(vendors[0]!)).not.toContain('supportEmail')
})

test('staff list vendors page by page, by status and by part of the name, taken literally', async () => {
  const mark = newId().slice(-6)
  const ids: string[] = []
  for (const name of [`${mark} one`, `${mark} TWO`, `${mark}_100%`])
    ids.unshift((await h.as(await customer()).apply(application(name))).vendor!.id)
  const first = await h.reviewer.listVendors({ query: mark, pageSize: 2 })
  const second = await h.reviewer.listVendors({ query: mark, pageSize: 2, pageToken: first.nextPageToken })
  expect([...first.vendors, ...second.vendors].map((vendor) => vendor.id)).toEqual(ids)
  expect(second.nextPageToken).toBe('')
  expect((await h.reviewer.listVendors({ query: `${mark} two` })).vendors).toHaveLength(1)
  expect((await h.reviewer.listVendors({ query: `${mark}_1` })).vendors).toHaveLength(1)
  expect((await h.reviewer.listVendors({ query: mark, status: VendorStatus.ACTIVE })).vendors).toEqual([])
  const forged = Buffer.from('["x"]').toString('base64url')
  await expect(h.reviewer.listVendors({ pageToken: forged })).rejects.toMatchObject({ code: 'page_token_invalid' })
  await expect(h.as(await customer()).listVendors({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('a document is stored encrypted, read by reviewers only, and must be what it says', async () => {
  const { client, vendorId } = await h.applied()
  const document = await h.addDocument(client, vendorId)
  expect(document).toMatchObject({
    status: KycDocStatus.PENDING,
    contentType: 'application/pdf',
    sizeBytes: PDF.length,
  })
  const kept = await h.db
    .selectFrom('vendor_kyc_contents')
    .selectAll()
    .where('document_id', '=', document.id)
    .executeTakeFirstOrThrow()
  expect(kept.content.includes('who I am')).toBe(false)
  expect((await h.reviewer.getKycDocumentContent({ documentId: document.id })).content).toEqual(PDF)
  await expect(client.getKycDocumentContent({ documentId: document.id })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
  await expect(h.reviewer.getKycDocumentContent({ documentId: newId() })).rejects.toMatchObject({
    code: 'document_not_found',
  })
  const script = Buffer.from('<script>alert(1)</script>')
  await expect(h.addDocument(client, vendorId, script)).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'document_type_unsupported',
  })
  const stranger = await h.applied()
  await expect(h.addDocument(stranger.client, vendorId)).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(stranger.client.listKycDocuments({ vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
  expect((await client.listKycDocuments({ vendorId })).documents).toMatchObject([{ id: document.id }])
})

test('a vendor has 20 documents at most, even when they come at once', async () => {
  const { client, vendorId } = await h.applied()
  const answers = await Promise.allSettled(Array.from({ length: 24 }, () => h.addDocument(client, vendorId)))
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(20)
  const refused = answers.filter((answer) => answer.status === 'rejected')
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'document_limit_reached' })
})

test('a document is decided once: a repeat answers the same, the other decision is refused', async () => {
  const { client, vendorId } = await h.applied()
  const { id: documentId } = await h.addDocument(client, vendorId)
  const review = (decision: KycDocStatus, reason = '') => h.reviewer.reviewKycDocument({ documentId, decision, reason })
  await expect(review(KycDocStatus.REJECTED, ' ')).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'reason_required',
  })
  await Promise.all([review(KycDocStatus.ACCEPTED), review(KycDocStatus.ACCEPTED), review(KycDocStatus.ACCEPTED)])
  await expect(review(KycDocStatus.REJECTED, 'no')).rejects.toMatchObject({ code: 'document_decided' })
  expect(of(await h.emitted(VendorKycReviewed), vendorId)).toHaveLength(1)
  expect((await client.listKycDocuments({ vendorId })).documents[0]).toMatchObject({ status: KycDocStatus.ACCEPTED })
})

test('of an account number only the last four characters can be read again, and only the owner adds one', async () => {
  const { client, vendorId } = await h.active()
  const add = { vendorId, accountHolder: 'Rahim', bankName: 'Bank', routing: '123', country: 'BD', makeDefault: false }
  const number = { $case: 'accountNo' as const, value: 'CANARY-99887766' }
  const { bankAccount } = await client.addBankAccount({ ...add, number })
  expect(bankAccount).toMatchObject({
    last4: '7766',
    isIban: false,
    isDefault: false,
    status: BankAccountStatus.PENDING,
  })
  const { bankAccounts } = await client.listBankAccounts({ vendorId })
  expect(bankAccounts.map((account) => account.isDefault)).toEqual([true, false])
  const dump = JSON.stringify(await h.db.selectFrom('vendor_bank_accounts').selectAll().execute(), (_, value) =>
    value?.type === 'Buffer'
      ? Buffer.from(value.data).toString('latin1')
      : typeof value === 'bigint'
        ? String(value)
        : value,
  )
  expect(dump).not.toContain('CANARY')
  expect(dump).not.toContain(IBAN)
  const bad = { $case: 'iban' as const, value: 'DE88370400440532013000' }
  await expect(client.addBankAccount({ ...add, number: bad })).rejects.toMatchObject({ code: 'iban_invalid' })
  await expect(client.addBankAccount({ ...add, number, country: 'XX' })).rejects.toMatchObject({
    code: 'country_unknown',
  })
  const stranger = h.as(await customer())
  await expect(stranger.addBankAccount({ ...add, number })).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(stranger.listBankAccounts({ vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
})

test('an account becomes the default when it is verified and was asked to, not before', async () => {
  const { client, vendorId, bankAccountId } = await h.active()
  const other = await h.addAccount(client, vendorId, { makeDefault: true })
  const defaultId = async () => (await client.listBankAccounts({ vendorId })).bankAccounts.find((a) => a.isDefault)?.id
  expect(await defaultId()).toBe(bankAccountId)
  const verify = (verified: boolean, reason = '') =>
    h.reviewer.verifyBankAccount({ bankAccountId: other.id, verified, reason })
  await expect(verify(false)).rejects.toMatchObject({ code: 'reason_required' })
  expect((await verify(false, 'name differs')).bankAccount).toMatchObject({
    status: BankAccountStatus.REJECTED,
    reason: 'name differs',
  })
  expect(await defaultId()).toBe(bankAccountId)
  await verify(true)
  await verify(true)
  expect(await defaultId()).toBe(other.id)
  expect(of(await h.emitted(VendorBankReviewed), vendorId)).toHaveLength(3)
  await expect(
    h.reviewer.verifyBankAccount({ bankAccountId: newId(), verified: true, reason: '' }),
  ).rejects.toMatchObject({
    code: 'bank_account_not_found',
  })
})

test('a vendor has 10 bank accounts at most', async () => {
  const { client, vendorId } = await h.applied()
  for (let i = 0; i < 10; i++) await h.addAccount(client, vendorId)
  await expect(h.addAccount(client, vendorId)).rejects.toMatchObject({ code: 'bank_account_limit_reached' })
})

test('the newest rating wins, whatever order the reviews’ events come in', async () => {
  const { client, vendorId } = await h.active()
  const rating = (avg: number, count: number, version: bigint) => ({
    reviewId: newId(),
    vendorId,
    vendorRatingAvg: avg,
    vendorRatingCount: count,
    vendorRatingVersion: version,
  })
  await h.publish(ReviewApproved, ReviewApproved.fromPartial(rating(4.5, 2, 2n)))
  await h.publish(ReviewApproved, ReviewApproved.fromPartial(rating(5, 1, 1n)))
  expect((await client.getVendor({ vendorId })).vendor).toMatchObject({ ratingAvg: 4.5, ratingCount: 2 })
  await h.publish(ReviewRejected, ReviewRejected.fromPartial(rating(4, 1, 3n)))
  expect((await client.getVendor({ vendorId })).vendor).toMatchObject({ ratingAvg: 4, ratingCount: 1 })
})

test('a forgotten owner’s data is gone and the vendor stops selling; the history stays', async () => {
  const { client, vendorId, userId, documentId, bankAccountId } = await h.active()
  const forgotten = await h.publish(UserForgotten, { userId, forgottenAt: new Date() })
  await h.publishRaw(forgotten)
  expect((await h.reviewer.getVendor({ vendorId })).vendor).toMatchObject({
    status: VendorStatus.SUSPENDED,
    supportEmail: '',
    supportPhone: '',
  })
  await expect(h.reviewer.getKycDocumentContent({ documentId })).rejects.toMatchObject({ code: 'document_not_found' })
  expect((await h.reviewer.listKycDocuments({ vendorId })).documents[0]).toMatchObject({ fileName: '' })
  expect((await h.reviewer.listBankAccounts({ vendorId })).bankAccounts[0]).toMatchObject({
    accountHolder: '',
    last4: '',
  })
  await expect(h.reviewer.verifyBankAccount({ bankAccountId, verified: true, reason: '' })).rejects.toMatchObject({
    code: 'bank_account_not_found',
  })
  const row = await h.db
    .selectFrom('vendor_bank_accounts')
    .selectAll()
    .where('id', '=', bankAccountId)
    .executeTakeFirstOrThrow()
  expect([row.account_no, row.iban]).toEqual([null, null])
  expect(of(await h.emitted(VendorSuspended), vendorId)).toHaveLength(1)
  expect((await client.getMyVendor({})).member).toMatchObject({ userId })
  expect((await h.as(await staff('vendors.read')).listStatusHistory({ vendorId })).changes).toHaveLength(2)
})
