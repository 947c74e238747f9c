import type { Call } from '@haat/kit/call'
import { invalid, notFound } from '@haat/kit/errors'
import type {
  PreviewTemplateRequest,
  PreviewTemplateResponse,
  TemplateRef,
} from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import type { StoredTemplate } from '../db/schema.ts'
import { findForLocale, findVersion } from '../db/templates.ts'
import { COMMON, findBuiltIn } from '../domain/built-in.ts'
import { compose, type TemplateText } from '../domain/compose.ts'
import { DEFAULT_LOCALE, type Locale, toLocale } from '../domain/locale.ts'
import { channels } from '../domain/names.ts'
import { readable } from './readable.ts'

/** Without a payload sample values are used, and where there are none the variables' names. */
export async function previewTemplate(
  ctx: NotificationContext,
  request: PreviewTemplateRequest,
  _call: Call,
): Promise<PreviewTemplateResponse> {
  const locale = toLocale(request.locale)
  const { source } = request
  let template: TemplateText
  let sample = {}
  if (source?.$case === 'stored') {
    template = await getStored(ctx, source.value, locale)
    sample = findBuiltIn(source.value.key)?.sample ?? {}
  } else {
    const draft = source!.value
    template = { channel: channels.toName(draft.channel), locale, subject: draft.subject, body_md: draft.bodyMd }
  }
  const variables = readable(template)
  const composed = compose(template, {
    payload: { ...COMMON, ...(request.payload ?? sample) },
    site: ctx.site,
    timeZone: ctx.timeZone,
    unsubscribeUrl: `${ctx.site.storefront}/unsubscribe?token=preview`,
    showMissing: !request.payload,
  })
  if (request.payload && composed.missing.length)
    throw invalid('template_variable_missing', `the template needs ${composed.missing.join(', ')}`, {
      variables: composed.missing,
    })
  return { subject: composed.subject, bodyHtml: composed.html, bodyText: composed.text, variables }
}

async function getStored(ctx: NotificationContext, ref: TemplateRef, locale: Locale): Promise<StoredTemplate> {
  const name = { key: ref.key, channel: channels.toName(ref.channel), locale }
  const found =
    ref.version === undefined
      ? await findForLocale(ctx.db, name)
      : ((await findVersion(ctx.db, name, ref.version)) ??
        (await findVersion(ctx.db, { ...name, locale: DEFAULT_LOCALE }, ref.version)))
  if (!found) throw notFound('template_not_found', 'no such template')
  return found
}
