import type { Locale } from './locale.ts'
import { escapeHtml } from './render.ts'

const WORDS = {
  en: {
    why: (site: string) => `You get this message because you use ${site}.`,
    stop: 'Stop messages of this kind',
    choose: 'Choose what you get',
  },
  bn: {
    why: (site: string) => `আপনি ${site} ব্যবহার করেন বলে এই বার্তাটি পেয়েছেন।`,
    stop: 'এ ধরনের বার্তা বন্ধ করুন',
    choose: 'কোন বার্তা পাবেন তা বেছে নিন',
  },
}

export type Frame = {
  locale: Locale
  siteName: string
  siteUrl: string
  /** Empty: the message cannot be opted out of. */
  unsubscribeUrl: string
}

const STYLE = `body{margin:0;background:#f4f5f7;color:#1f2430;font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans Bengali",sans-serif}
.page{max-width:600px;margin:0 auto;padding:24px 12px}.card{background:#fff;border-radius:10px;padding:28px 32px}
.brand{font-weight:700;font-size:20px;color:#0b6b53;text-decoration:none}h1{font-size:22px;line-height:1.3;margin:0 0 16px}
a{color:#0b6b53}.button{display:inline-block;background:#0b6b53;color:#fff!important;text-decoration:none;padding:11px 20px;border-radius:8px;font-weight:600}
table{border-collapse:collapse;width:100%}th,td{padding:8px 6px;border-bottom:1px solid #e6e8ec;text-align:left}
blockquote{margin:0 0 16px;padding:8px 16px;border-left:3px solid #c9ced6;color:#4b5263}.foot{color:#6b7280;font-size:13px;padding:16px 32px}`

/** The page around a mail's HTML. */
export function framedHtml(subject: string, body: string, frame: Frame): string {
  const words = WORDS[frame.locale]
  const foot = [escapeHtml(words.why(frame.siteName)), ...footLinks(frame).map(([label, url]) => anchor(label, url))]
  return `<!doctype html>
<html lang="${frame.locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(subject)}</title><style>${STYLE}</style></head>
<body><div class="page"><p><a class="brand" href="${escapeHtml(frame.siteUrl)}">${escapeHtml(frame.siteName)}</a></p>
<div class="card">
${body}</div><div class="foot">${foot.join('<br>')}</div></div></body></html>
`
}

/** A mail's plain text with the same foot. */
export function framedText(body: string, frame: Frame): string {
  const foot = [WORDS[frame.locale].why(frame.siteName), ...footLinks(frame).map(([label, url]) => `${label}: ${url}`)]
  return `${body}\n\n-- \n${foot.join('\n')}\n`
}

const anchor = (label: string, url: string) => `<a href="${escapeHtml(url)}">${escapeHtml(label)}</a>`

function footLinks(frame: Frame): [string, string][] {
  if (!frame.unsubscribeUrl) return []
  const words = WORDS[frame.locale]
  return [
    [words.stop, frame.unsubscribeUrl],
    [words.choose, `${frame.siteUrl}/account/notifications`],
  ]
}
