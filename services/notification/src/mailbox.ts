import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NotificationContext } from './context.ts'
import type { StoredMessage } from './db/schema.ts'
import { escapeHtml } from './domain/render.ts'

const LIMIT = 200

type Query = { to: string; template: string; channel: string }

/**
 * The development mailbox: `/` lists messages, `/messages/<id>` shows one, `/mailbox.json?to=&template=&channel=` answers them for
 * tests, newest first. It has no sign-in and shows secrets, so it exists only where it is asked for.
 */
export async function startMailbox(
  ctx: NotificationContext,
  options: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const answer = async (path: string, res: ServerResponse) => {
    const url = new URL(path, 'http://mailbox')
    const read = (name: string) => url.searchParams.get(name) ?? ''
    const query = { to: read('to'), template: read('template'), channel: read('channel') }
    if (url.pathname === '/') return html(res, listPage(await findMessages(ctx, query), query))
    if (url.pathname === '/mailbox.json') {
      const messages = (await findMessages(ctx, query)).map(toJson)
      return send(res, 200, 'application/json', JSON.stringify({ messages }))
    }
    const [, id, part] = /^\/messages\/([0-9a-f-]{36})(\/body)?$/.exec(url.pathname) ?? []
    const message = id && (await ctx.db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst())
    if (!message) return send(res, 404, 'text/plain', 'not found')
    return html(res, part ? message.body_html || textPage(message.body_text) : messagePage(message))
  }
  const server = createServer((req, res) => {
    answer(req.url ?? '/', res).catch(() => {
      if (!res.headersSent) send(res, 500, 'text/plain', 'failed')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function send(res: ServerResponse, status: number, type: string, body: string): void {
  res
    .writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store', ...SAFE_HEADERS })
    .end(body)
}

const html = (res: ServerResponse, body: string) => send(res, 200, 'text/html', body)

// What a mail holds must not run, nor load anything.
const SAFE_HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

async function findMessages(ctx: NotificationContext, { to, template, channel }: Query): Promise<StoredMessage[]> {
  let query = ctx.db.selectFrom('messages').selectAll().orderBy('id', 'desc').limit(LIMIT)
  if (to) query = query.where((eb) => eb(eb.fn('lower', ['to']), '=', to.toLowerCase())).where('to', '<>', '')
  if (template) query = query.where('template_key', '=', template)
  if (channel === 'email' || channel === 'sms' || channel === 'push') query = query.where('channel', '=', channel)
  return query.execute()
}

const toJson = (row: StoredMessage) => ({
  id: row.id,
  channel: row.channel,
  to: row.to,
  userId: row.user_id,
  templateKey: row.template_key,
  templateVersion: row.template_version,
  locale: row.locale,
  topic: row.topic,
  status: row.status,
  error: row.error,
  attempts: row.attempts,
  provider: row.provider,
  eventId: row.event_id,
  subject: row.subject,
  html: row.body_html,
  text: row.body_text,
  /** Where the message leads, in order. */
  links: linksOf(row),
  createdAt: row.created_at,
  sentAt: row.sent_at,
})

const UNESCAPES: Record<string, string> = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>' }

function linksOf(row: StoredMessage): string[] {
  if (row.link) return [row.link]
  return [...row.body_html.matchAll(/href="([^"]*)"/g)].map((match) =>
    match[1]!.replace(/&(amp|quot|#39|lt|gt);/g, (entity) => UNESCAPES[entity]!),
  )
}

const page = (title: string, body: string) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>${escapeHtml(title)}</title><style>body{font:15px/1.5 system-ui,sans-serif;margin:24px;max-width:1100px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:6px 10px;border-bottom:1px solid #ddd}
iframe{width:100%;height:640px;border:1px solid #ccc}pre{white-space:pre-wrap;background:#f6f6f6;padding:12px}</style></head>
<body>${body}</body></html>`

function listPage(rows: StoredMessage[], { to }: Query): string {
  const lines = rows.map(
    (row) =>
      `<tr><td>${row.created_at.toISOString()}</td><td>${row.channel}</td><td>${escapeHtml(row.to)}</td>
<td><a href="/messages/${row.id}">${escapeHtml(row.subject || row.template_key)}</a></td><td>${row.status}</td></tr>`,
  )
  return page(
    'Mailbox',
    `<h1>Mailbox</h1><form><input name="to" placeholder="to" value="${escapeHtml(to)}"> <button>Show</button></form>
<table><tr><th>Time</th><th>Channel</th><th>To</th><th>Subject</th><th>Status</th></tr>${lines.join('')}</table>`,
  )
}

const messagePage = (row: StoredMessage) =>
  page(
    row.subject || row.template_key,
    `<p><a href="/">Mailbox</a></p><h1>${escapeHtml(row.subject || row.template_key)}</h1>
<p>To ${escapeHtml(row.to)} · ${row.channel} · ${row.template_key} v${row.template_version} ${row.locale} · ${row.status}
${escapeHtml(row.error)}</p>
${row.body_html ? `<iframe sandbox="allow-popups" src="/messages/${row.id}/body"></iframe>` : ''}
<pre>${escapeHtml(row.body_text)}</pre>${row.link ? `<p>${escapeHtml(row.link)}</p>` : ''}`,
  )

const textPage = (text: string) => page('Message', `<pre>${escapeHtml(text)}</pre>`)
