import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, strict, timeSchema, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import {
  BankAccount,
  CommissionRule,
  KycDocStatus,
  KycDocument,
  ListStatusHistoryRequest,
  ListVendorsRequest,
  Member,
  SetCommissionRulesRequest,
  SetVendorStatusRequest,
  StatusChange,
  Vendor,
} from '@haat/proto/vendor/v1/vendor'
import type { AdminBffContext } from '../context.ts'

const tags = ['vendors']
const vendor = viewOf(Vendor)
const change = viewOf(StatusChange)
const document = viewOf(KycDocument)
const bank = viewOf(BankAccount)
const member = viewOf(Member)
const rule = viewOf(CommissionRule)
const id = z.object({ id: uuidSchema })
const rulesSchema = z.object({ version: z.int(), rules: z.array(rule.schema) }).openapi('CommissionRules')

const list = route({
  method: 'get',
  path: '/admin/vendors',
  summary: 'Vendors, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListVendorsRequest),
  response: pageOf(vendor.schema),
})
const get = route({
  method: 'get',
  path: '/admin/vendors/{id}',
  summary: 'A vendor with its documents, bank accounts and members',
  tags,
  auth: 'staff',
  params: id,
  response: z
    .object({
      vendor: vendor.schema,
      documents: z.array(document.schema),
      bankAccounts: z.array(bank.schema),
      members: z.array(member.schema),
    })
    .openapi('VendorPage'),
})
const setStatus = route({
  method: 'patch',
  path: '/admin/vendors/{id}/status',
  summary: 'Approve, suspend, reject or reinstate a vendor, with a reason',
  tags,
  auth: 'staff',
  params: id,
  body: inputOf(SetVendorStatusRequest, { omit: ['vendorId'] }),
  response: vendor.schema,
})
const history = route({
  method: 'get',
  path: '/admin/vendors/{id}/history',
  summary: 'How the status came about, newest first',
  tags,
  auth: 'staff',
  params: id,
  query: queryOf(ListStatusHistoryRequest, { omit: ['vendorId'] }),
  response: pageOf(change.schema),
})
const kycFile = route({
  method: 'get',
  path: '/admin/kyc/{id}/content',
  summary: 'The document itself',
  tags,
  auth: 'staff',
  params: id,
  contentType: 'application/octet-stream',
})
const reviewKyc = route({
  method: 'post',
  path: '/admin/kyc/{id}/review',
  summary: 'Accept or reject a document',
  tags,
  auth: 'staff',
  params: id,
  body: strict({ decision: enumSchema(KycDocStatus), reason: z.string().max(500).default('') }),
  response: document.schema,
})
const verifyBank = route({
  method: 'post',
  path: '/admin/bank-accounts/{id}/verify',
  summary: 'Say whether a bank account is right',
  tags,
  auth: 'staff',
  params: id,
  body: strict({ verified: z.boolean(), reason: z.string().max(500).default('') }),
  response: bank.schema,
})
const getRules = route({
  method: 'get',
  path: '/admin/commission-rules',
  summary: 'The commission rules in order; an older version by its number',
  tags,
  auth: 'staff',
  query: z.object({ version: z.coerce.number().int().min(0).max(1e9).optional() }),
  response: rulesSchema.extend({ createdAt: timeSchema.nullable(), createdBy: z.string() }),
})
const setRules = route({
  method: 'put',
  path: '/admin/commission-rules',
  summary: 'Replace the list under a new version; sold lines keep the rule they were sold under',
  tags,
  auth: 'staff',
  body: inputOf(SetCommissionRulesRequest),
  response: rulesSchema,
})

export function vendorRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { vendors, nextPageToken } = await ctx.vendor.listVendors(c.req.valid('query'))
      return c.json({ items: vendors.map(vendor.toJson), nextPageToken }, 200)
    })
    .openapi(get, async (c) => {
      const request = { vendorId: c.req.valid('param').id }
      const [found, { documents }, { bankAccounts }, { members }] = await Promise.all([
        ctx.vendor.getVendor(request),
        ctx.vendor.listKycDocuments(request),
        ctx.vendor.listBankAccounts(request),
        ctx.vendor.listMembers({ ...request, pageSize: 100 }),
      ])
      return c.json(
        {
          vendor: vendor.toJson(found.vendor!),
          documents: documents.map(document.toJson),
          bankAccounts: bankAccounts.map(bank.toJson),
          members: members.map(member.toJson),
        },
        200,
      )
    })
    .openapi(setStatus, async (c) => {
      const answer = await ctx.vendor.setVendorStatus({ ...c.req.valid('json'), vendorId: c.req.valid('param').id })
      return c.json(vendor.toJson(answer.vendor!), 200)
    })
    .openapi(history, async (c) => {
      const request = { ...c.req.valid('query'), vendorId: c.req.valid('param').id }
      const { changes, nextPageToken } = await ctx.vendor.listStatusHistory(request)
      return c.json({ items: changes.map(change.toJson), nextPageToken }, 200)
    })
    .openapi(kycFile, async (c) => {
      const answer = await ctx.vendor.getKycDocumentContent({ documentId: c.req.valid('param').id })
      // Whatever a vendor handed in is downloaded, never shown under our origin.
      return c.body(new Uint8Array(answer.content), 200, {
        'Content-Type': 'application/octet-stream',
        'Content-Disposition': 'attachment',
      })
    })
    .openapi(reviewKyc, async (c) => {
      const answer = await ctx.vendor.reviewKycDocument({ ...c.req.valid('json'), documentId: c.req.valid('param').id })
      return c.json(document.toJson(answer.document!), 200)
    })
    .openapi(verifyBank, async (c) => {
      const answer = await ctx.vendor.verifyBankAccount({
        ...c.req.valid('json'),
        bankAccountId: c.req.valid('param').id,
      })
      return c.json(bank.toJson(answer.bankAccount!), 200)
    })
    .openapi(getRules, async (c) => {
      const { version } = c.req.valid('query')
      const answer = await ctx.vendor.getCommissionRules(version === undefined ? {} : { version: BigInt(version) })
      return c.json(
        {
          version: Number(answer.version),
          rules: answer.rules.map(rule.toJson),
          createdAt: answer.createdAt?.toISOString() ?? null,
          createdBy: answer.createdBy,
        },
        200,
      )
    })
    .openapi(setRules, async (c) => {
      const answer = await ctx.vendor.setCommissionRules(c.req.valid('json'))
      return c.json({ version: Number(answer.version), rules: answer.rules.map(rule.toJson) }, 200)
    })
}
