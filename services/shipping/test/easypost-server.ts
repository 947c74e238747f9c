import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Shipment = {
  id: string
  reference: string
  body: { to_address: { name: string; country: string }; from_address: { country: string }; parcel: { weight: number } }
  tracking_code: string | null
  postage_label: { label_pdf_url: string } | null
  refund_status: string | null
}

/** The part of EasyPost that the adapter uses, with faults to order. */
export async function startEasyPost() {
  const shipments = new Map<string, Shipment>()
  const requests: string[] = []
  let fault: ((request: string) => 'lost answer' | 'unavailable' | 'refused' | 'slow' | undefined) | undefined
  let label: Buffer = Buffer.from('%PDF-1.7 a label')
  let count = 0
  let origin = ''

  const view = ({ body: _, ...shipment }: Shipment) => ({
    ...shipment,
    rates: [
      { id: 'rate_dear', service: 'Priority', rate: '9.50' },
      { id: 'rate_cheap', service: 'GroundAdvantage', rate: '4.10' },
    ],
  })
  const handle = (request: string, body: unknown): [number, unknown] => {
    const [, method, path] = request.match(/^(\S+) (\S+)$/)!
    if (path === '/v2/shipments' && method === 'POST') {
      const { shipment } = body as { shipment: Shipment['body'] & { reference: string } }
      const made: Shipment = {
        id: `shp_${++count}`,
        reference: shipment.reference,
        body: shipment,
        tracking_code: null,
        postage_label: null,
        refund_status: null,
      }
      shipments.set(made.id, made)
      return [201, view(made)]
    }
    const [, key, action] = path!.match(/^\/v2\/shipments\/([^/]+)(?:\/(\w+))?$/)!
    const found = shipments.get(key!) ?? [...shipments.values()].find((s) => s.reference === key)
    if (!found) return [404, { error: { code: 'NOT_FOUND' } }]
    if (action === 'buy') {
      if (found.tracking_code) return [422, { error: { code: 'SHIPMENT.POSTAGE.EXISTS' } }]
      found.tracking_code = `EZ${found.id.toUpperCase().replace('_', '')}`
      found.postage_label = { label_pdf_url: `${origin}/label/${found.id}.pdf` }
    }
    if (action === 'refund') found.refund_status = 'submitted'
    return [200, view(found)]
  }

  const server = createServer(async (incoming: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part as Buffer)
    const request = `${incoming.method} ${incoming.url}`
    if (incoming.url!.startsWith('/label/')) {
      response.writeHead(200, { 'content-type': 'application/pdf' }).end(label)
      return
    }
    requests.push(request.replace(/[0-9a-f-]{36}/, '<reference>').replace(/shp_\d+/, '<id>'))
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (incoming.headers.authorization !== `Basic ${Buffer.from('key:').toString('base64')}`)
      return answer(401, { error: { code: 'APIKEY.INVALID' } })
    const wrong = fault?.(request)
    if (wrong === 'unavailable') return answer(503, {})
    if (wrong === 'refused') return answer(422, { error: { code: 'ADDRESS.VERIFY.FAILURE' } })
    const [status, body] = handle(request, parts.length ? JSON.parse(Buffer.concat(parts).toString()) : undefined)
    if (wrong === 'lost answer') return incoming.socket.destroy()
    if (wrong === 'slow') await new Promise((resolve) => setTimeout(resolve, 300))
    return answer(status, body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    origin,
    requests,
    shipments,
    /** Decides request by request what goes wrong; undefined: nothing. */
    set fault(decide: typeof fault) {
      fault = decide
    },
    set label(bytes: Buffer) {
      label = bytes
    },
    sign: (payload: Buffer, secret: string) =>
      `hmac-sha256-hex=${createHmac('sha256', secret).update(payload).digest('hex')}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
