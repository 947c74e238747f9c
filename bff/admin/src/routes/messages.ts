import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchemaOr, viewOf } from '@haat/kit/http/view'
import {
  Channel,
  ListMessagesRequest,
  ListTemplatesRequest,
  Message,
  Template,
  UpsertTemplateRequest,
} from '@haat/proto/notification/v1/notification'
import type { AdminBffContext } from '../context.ts'

const tags = ['messages']
const template = viewOf(Template)
const message = viewOf(Message)
const id = z.object({ id: uuidSchema })

const listTemplates = route({
  method: 'get',
  path: '/admin/templates',
  summary: 'Templates in force',
  tags,
  auth: 'staff',
  query: queryOf(ListTemplatesRequest),
  response: pageOf(template.schema),
})
const putTemplate = route({
  method: 'put',
  path: '/admin/templates',
  summary: 'Write a new version of a template',
  tags,
  auth: 'staff',
  body: inputOf(UpsertTemplateRequest),
  response: template.schema,
})
const preview = route({
  method: 'post',
  path: '/admin/templates/preview',
  summary: 'What a draft looks like with these values',
  tags,
  auth: 'staff',
  body: strict({
    channel: enumSchemaOr(Channel, 'email'),
    subject: z.string().max(200),
    bodyMd: z.string().max(50_000),
    locale: z.enum(['en', 'bn']).default('en'),
    payload: z.record(z.string(), z.unknown()).default({}),
  }),
  response: z
    .object({ subject: z.string(), bodyHtml: z.string(), bodyText: z.string(), variables: z.array(z.string()) })
    .openapi('TemplatePreview'),
})
const list = route({
  method: 'get',
  path: '/admin/messages',
  summary: 'Messages, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListMessagesRequest),
  response: pageOf(message.schema),
})
const get = route({
  method: 'get',
  path: '/admin/messages/{id}',
  summary: 'A message',
  tags,
  auth: 'staff',
  params: id,
  response: message.schema,
})
const retry = route({
  method: 'post',
  path: '/admin/messages/{id}/retry',
  summary: 'Send a failed message again',
  tags,
  auth: 'staff',
  params: id,
  response: message.schema,
})

export function messageRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(listTemplates, async (c) => {
      const { templates, nextPageToken } = await ctx.notification.listTemplates(c.req.valid('query'))
      return c.json({ items: templates.map(template.toJson), nextPageToken }, 200)
    })
    .openapi(putTemplate, async (c) =>
      c.json(template.toJson((await ctx.notification.upsertTemplate(c.req.valid('json'))).template!), 200),
    )
    .openapi(preview, async (c) => {
      const { locale, payload, ...draft } = c.req.valid('json')
      const answer = await ctx.notification.previewTemplate({
        source: { $case: 'draft', value: draft },
        locale,
        payload,
      })
      const { subject, bodyHtml, bodyText, variables } = answer
      return c.json({ subject, bodyHtml, bodyText, variables }, 200)
    })
    .openapi(list, async (c) => {
      const { messages, nextPageToken } = await ctx.notification.listMessages(c.req.valid('query'))
      return c.json({ items: messages.map(message.toJson), nextPageToken }, 200)
    })
    .openapi(get, async (c) =>
      c.json(message.toJson((await ctx.notification.getMessage({ messageId: c.req.valid('param').id })).message!), 200),
    )
    .openapi(retry, async (c) =>
      c.json(
        message.toJson((await ctx.notification.retryMessage({ messageId: c.req.valid('param').id })).message!),
        200,
      ),
    )
}
