import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageArgs, pageOf, pageQuery, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import { CreateWebhookRequest, Webhook } from '@haat/proto/notification/v1/notification'
import {
  AddBankAccountRequest,
  BankAccount,
  InviteMemberRequest,
  KycDocType,
  KycDocument,
  Member,
  UpdateVendorRequest,
  Vendor,
} from '@haat/proto/vendor/v1/vendor'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['vendor']
const vendor = viewOf(Vendor)
const document = viewOf(KycDocument, { omit: ['docUrl'], name: 'KycDocument' })
const bank = viewOf(BankAccount)
const member = viewOf(Member)
const webhook = viewOf(Webhook)
const vendorId = z.object({ vendorId: uuidSchema })
const KYC_LIMIT = 900 * 1024

const mine = route({
  method: 'get',
  path: '/vendors/me',
  summary: 'The vendor I applied for or work for, and what its approval still needs',
  tags,
  auth: 'user',
  response: z
    .object({ vendor: vendor.schema, member: member.schema, kycComplete: z.boolean(), bankVerified: z.boolean() })
    .openapi('MyVendor'),
})
const get = route({
  method: 'get',
  path: '/vendors/{vendorId}',
  summary: 'My vendor',
  tags,
  auth: 'user',
  params: vendorId,
  response: vendor.schema,
})
const patch = route({
  method: 'patch',
  path: '/vendors/{vendorId}',
  summary: "Change my vendor's details",
  tags,
  auth: 'user',
  params: vendorId,
  body: inputOf(UpdateVendorRequest, { omit: ['vendorId'] }),
  response: vendor.schema,
})
const listKyc = route({
  method: 'get',
  path: '/vendors/{vendorId}/kyc',
  summary: 'My documents and what the reviewer said',
  tags,
  auth: 'user',
  params: vendorId,
  response: z.object({ items: z.array(document.schema) }).openapi('KycDocuments'),
})
const addKyc = route({
  method: 'post',
  path: '/vendors/{vendorId}/kyc',
  summary: 'Hand in a document; the body is the file itself, at most 900 KiB',
  tags,
  auth: 'user',
  rateClass: 'upload',
  status: 201,
  params: vendorId,
  query: z.object({ docType: enumSchema(KycDocType), fileName: z.string().min(1).max(255) }),
  upload: { kind: 'raw', accepts: ['application/pdf', 'image/jpeg', 'image/png', 'image/webp'], limitBytes: KYC_LIMIT },
  response: document.schema,
})
const listBank = route({
  method: 'get',
  path: '/vendors/{vendorId}/bank',
  summary: 'My bank accounts; of a number only the last four digits',
  tags,
  auth: 'user',
  params: vendorId,
  response: z.object({ items: z.array(bank.schema) }).openapi('BankAccounts'),
})
const addBank = route({
  method: 'post',
  path: '/vendors/{vendorId}/bank',
  summary: 'Add a bank account: `accountNo` or `iban`',
  tags,
  auth: 'user',
  status: 201,
  params: vendorId,
  body: inputOf(AddBankAccountRequest, {
    omit: ['vendorId', 'number'],
    extra: { accountNo: z.string().min(4).max(34).optional(), iban: z.string().min(15).max(34).optional() },
  }),
  response: bank.schema,
})
const listMembers = route({
  method: 'get',
  path: '/vendors/{vendorId}/members',
  summary: 'Who works here',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object(pageQuery),
  response: pageOf(member.schema),
})
const invite = route({
  method: 'post',
  path: '/vendors/{vendorId}/members',
  summary: 'Let somebody with an account work here, with these permissions',
  tags,
  auth: 'vendor',
  status: 201,
  params: vendorId,
  body: inputOf(InviteMemberRequest, { omit: ['vendorId'] }),
  response: member.schema,
})
const removeMember = route({
  method: 'delete',
  path: '/vendors/{vendorId}/members/{userId}',
  summary: 'End a membership',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, userId: uuidSchema }),
})
const listWebhooks = route({
  method: 'get',
  path: '/vendors/{vendorId}/webhooks',
  summary: 'Where events are sent',
  tags,
  auth: 'vendor',
  params: vendorId,
  response: z.object({ items: z.array(webhook.schema) }).openapi('Webhooks'),
})
const createWebhook = route({
  method: 'post',
  path: '/vendors/{vendorId}/webhooks',
  summary: 'Send events to an address of mine; the signing secret is shown once',
  tags,
  auth: 'vendor',
  status: 201,
  params: vendorId,
  body: inputOf(CreateWebhookRequest, { omit: ['vendorId'] }),
  response: z.object({ webhook: webhook.schema, secret: z.string() }).openapi('NewWebhook'),
})
const deleteWebhook = route({
  method: 'delete',
  path: '/vendors/{vendorId}/webhooks/{webhookId}',
  summary: 'Send no more events there',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, webhookId: uuidSchema }),
})

export function onboardingRoutes(ctx: VendorBffContext) {
  return createRoutes()
    .openapi(mine, async (c) => {
      const answer = await ctx.vendor.getMyVendor({})
      return c.json(
        {
          vendor: vendor.toJson(answer.vendor!),
          member: member.toJson(answer.member!),
          kycComplete: answer.kycComplete,
          bankVerified: answer.bankVerified,
        },
        200,
      )
    })
    .openapi(get, async (c) => c.json(vendor.toJson((await ctx.vendor.getVendor(c.req.valid('param'))).vendor!), 200))
    .openapi(patch, async (c) => {
      const answer = await ctx.vendor.updateVendor({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json(vendor.toJson(answer.vendor!), 200)
    })
    .openapi(listKyc, async (c) => {
      const { documents } = await ctx.vendor.listKycDocuments(c.req.valid('param'))
      return c.json({ items: documents.map(document.toJson) }, 200)
    })
    .openapi(addKyc, async (c) => {
      const answer = await ctx.vendor.addKycDocument({
        ...c.req.valid('param'),
        ...c.req.valid('query'),
        contentType: c.req.header('content-type')?.split(';', 1)[0] ?? '',
        content: Buffer.from(c.get('body')),
      })
      return c.json(document.toJson(answer.document!), 201)
    })
    .openapi(listBank, async (c) => {
      const { bankAccounts } = await ctx.vendor.listBankAccounts(c.req.valid('param'))
      return c.json({ items: bankAccounts.map(bank.toJson) }, 200)
    })
    .openapi(addBank, async (c) => {
      const { accountNo, iban, ...rest } = c.req.valid('json')
      const answer = await ctx.vendor.addBankAccount({
        ...rest,
        ...c.req.valid('param'),
        // Both or neither: the contract's "exactly one of" answers for it.
        ...(accountNo && !iban ? { number: { $case: 'accountNo', value: accountNo } } : {}),
        ...(iban && !accountNo ? { number: { $case: 'iban', value: iban } } : {}),
      })
      return c.json(bank.toJson(answer.bankAccount!), 201)
    })
    .openapi(listMembers, async (c) => {
      const answer = await ctx.vendor.listMembers({ ...c.req.valid('param'), ...pageArgs(c.req.valid('query')) })
      return c.json({ items: answer.members.map(member.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(invite, async (c) => {
      const answer = await ctx.vendor.inviteMember({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json(member.toJson(answer.member!), 201)
    })
    .openapi(removeMember, async (c) => {
      await ctx.vendor.removeMember(c.req.valid('param'))
      return c.body(null, 204)
    })
    .openapi(listWebhooks, async (c) => {
      const answer = await ctx.notification.listWebhooks({ vendorId: ownVendor(c, c.req.valid('param').vendorId) })
      return c.json({ items: answer.webhooks.map(webhook.toJson) }, 200)
    })
    .openapi(createWebhook, async (c) => {
      const answer = await ctx.notification.createWebhook({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json({ webhook: webhook.toJson(answer.webhook!), secret: answer.secret }, 201)
    })
    .openapi(deleteWebhook, async (c) => {
      await ctx.notification.deleteWebhook(c.req.valid('param'))
      return c.body(null, 204)
    })
}
