import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import {
  CreateServiceAccountRequest,
  ListServiceAccountsRequest,
  ListUsersRequest,
  Role,
  ServiceAccount,
  SetUserStatusRequest,
  UpsertRoleRequest,
  User,
} from '@haat/proto/auth/v1/auth'
import type { AdminBffContext } from '../context.ts'

const tags = ['users']
const user = viewOf(User)
const role = viewOf(Role)
const account = viewOf(ServiceAccount)
const id = z.object({ id: uuidSchema })
const roleName = z.string().regex(/^[a-z][a-z0-9_]{1,39}$/, 'has small letters, digits and underscores')

const list = route({
  method: 'get',
  path: '/admin/users',
  summary: 'Accounts, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListUsersRequest),
  response: pageOf(user.schema),
})
const get = route({
  method: 'get',
  path: '/admin/users/{id}',
  summary: 'An account',
  tags,
  auth: 'staff',
  params: id,
  response: user.schema,
})
const setStatus = route({
  method: 'patch',
  path: '/admin/users/{id}/status',
  summary: 'Block or unblock an account',
  tags,
  auth: 'staff',
  params: id,
  body: inputOf(SetUserStatusRequest, { omit: ['userId'] }),
  response: user.schema,
})
const assign = route({
  method: 'put',
  path: '/admin/users/{id}/roles/{role}',
  summary: 'Give a role',
  tags,
  auth: 'staff',
  params: z.object({ id: uuidSchema, role: roleName }),
  response: user.schema,
})
const revoke = route({
  method: 'delete',
  path: '/admin/users/{id}/roles/{role}',
  summary: 'Take a role',
  tags,
  auth: 'staff',
  params: z.object({ id: uuidSchema, role: roleName }),
  response: user.schema,
})
const listRoles = route({
  method: 'get',
  path: '/admin/roles',
  summary: 'Roles with their permissions, and all permissions there are',
  tags,
  auth: 'staff',
  response: z.object({ roles: z.array(role.schema), permissions: z.array(z.string()) }).openapi('Roles'),
})
const putRole = route({
  method: 'put',
  path: '/admin/roles/{role}',
  summary: 'Set the permissions of a role',
  tags,
  auth: 'staff',
  params: z.object({ role: roleName }),
  body: inputOf(UpsertRoleRequest, { omit: ['name'] }),
  response: role.schema,
})
const listAccounts = route({
  method: 'get',
  path: '/admin/service-accounts',
  summary: 'Accounts of internal tools',
  tags,
  auth: 'staff',
  query: queryOf(ListServiceAccountsRequest),
  response: pageOf(account.schema),
})
const createAccount = route({
  method: 'post',
  path: '/admin/service-accounts',
  summary: 'An account for an internal tool; the secret is shown once',
  tags,
  auth: 'staff',
  status: 201,
  body: inputOf(CreateServiceAccountRequest),
  response: z.object({ serviceAccount: account.schema, clientSecret: z.string() }).openapi('NewServiceAccount'),
})
const revokeAccount = route({
  method: 'delete',
  path: '/admin/service-accounts/{id}',
  summary: 'End an account of an internal tool',
  tags,
  auth: 'staff',
  params: id,
  response: account.schema,
})
const changePassword = route({
  method: 'post',
  path: '/auth/change-password',
  summary: 'Change my password; other sessions end',
  tags: ['auth'],
  auth: 'user',
  rateClass: 'login',
  body: strict({ currentPassword: z.string().min(1).max(256), newPassword: z.string().min(1).max(256) }),
})

export function userRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { users, nextPageToken } = await ctx.auth.listUsers(c.req.valid('query'))
      return c.json({ items: users.map(user.toJson), nextPageToken }, 200)
    })
    .openapi(get, async (c) =>
      c.json(user.toJson((await ctx.auth.getUser({ userId: c.req.valid('param').id })).user!), 200),
    )
    .openapi(setStatus, async (c) => {
      const answer = await ctx.auth.setUserStatus({ ...c.req.valid('json'), userId: c.req.valid('param').id })
      return c.json(user.toJson(answer.user!), 200)
    })
    .openapi(assign, async (c) => {
      const { id: userId, role: name } = c.req.valid('param')
      return c.json(user.toJson((await ctx.auth.assignRole({ userId, role: name })).user!), 200)
    })
    .openapi(revoke, async (c) => {
      const { id: userId, role: name } = c.req.valid('param')
      return c.json(user.toJson((await ctx.auth.revokeRole({ userId, role: name })).user!), 200)
    })
    .openapi(listRoles, async (c) => {
      const { roles, permissions } = await ctx.auth.listRoles({})
      return c.json({ roles: roles.map(role.toJson), permissions }, 200)
    })
    .openapi(putRole, async (c) => {
      const answer = await ctx.auth.upsertRole({ ...c.req.valid('json'), name: c.req.valid('param').role })
      return c.json(role.toJson(answer.role!), 200)
    })
    .openapi(listAccounts, async (c) => {
      const answer = await ctx.auth.listServiceAccounts(c.req.valid('query'))
      return c.json({ items: answer.serviceAccounts.map(account.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(createAccount, async (c) => {
      const answer = await ctx.auth.createServiceAccount(c.req.valid('json'))
      return c.json({ serviceAccount: account.toJson(answer.serviceAccount!), clientSecret: answer.clientSecret }, 201)
    })
    .openapi(revokeAccount, async (c) => {
      const answer = await ctx.auth.revokeServiceAccount({ serviceAccountId: c.req.valid('param').id })
      return c.json(account.toJson(answer.serviceAccount!), 200)
    })
    .openapi(changePassword, async (c) => {
      await ctx.auth.changePassword(c.req.valid('json'))
      return c.body(null, 204)
    })
}
