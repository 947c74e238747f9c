import { invalid } from '@haat/kit/errors'
import type { Carrier } from './carrier.ts'
import { easypostCarrier } from './easypost.ts'
import type { CarrierKeys } from './keys.ts'
import { tableCarrier } from './table.ts'

export type Carriers = ReadonlyMap<string, Carrier>

/** The carriers this installation has keys for; the built-in one is always there. */
export function openCarriers(keys: CarrierKeys, defaultOrigin: string): Carriers {
  const carriers: Carrier[] = [tableCarrier({ webhookSecrets: keys.table?.webhookSecrets ?? [] })]
  if (keys.easypost) carriers.push(easypostCarrier({ keys: keys.easypost, defaultOrigin }))
  return new Map(carriers.map((carrier) => [carrier.name, carrier]))
}

/** INVALID_ARGUMENT `carrier_unknown` for a name nobody answers to. */
export function getCarrier(carriers: Carriers, name: string): Carrier {
  const carrier = carriers.get(name)
  if (!carrier) throw invalid('carrier_unknown', 'no such carrier')
  return carrier
}
