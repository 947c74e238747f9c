import { type DescMethod, type DescService, getOption } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'

/** The rule of one RPC, from the contract; see haat/options/v1/options.proto. */
export type Rule = {
  public: boolean
  authenticated: boolean
  service: boolean
  roles: string[]
  permissions: string[]
  vendor: { field: string; permission: string } | undefined
}

const authorization = registry.getExtension('haat.options.v1.authorization')

export function getService(fullName: string): DescService {
  const service = registry.getService(fullName)
  if (!service) throw new Error(`no service ${fullName} in the descriptor image: run "npm run gen"`)
  return service
}

/** Every service of the product, without the common ones (health, reflection). */
export function listServices(): DescService[] {
  const services: DescService[] = []
  for (const type of registry) if (type.kind === 'service' && type.typeName.startsWith('haat.')) services.push(type)
  return services
}

/** The rule an RPC declares; undefined when it declares none or an empty one. */
export function ruleOf(method: DescMethod): Rule | undefined {
  if (!authorization) throw new Error('haat.options.v1.authorization is not in the descriptor image')
  const option = getOption(method, authorization) as unknown as Partial<Rule>
  const rule: Rule = {
    public: option.public ?? false,
    authenticated: option.authenticated ?? false,
    service: option.service ?? false,
    roles: option.roles ?? [],
    permissions: option.permissions ?? [],
    vendor: option.vendor ? { field: option.vendor.field, permission: option.vendor.permission } : undefined,
  }
  const empty =
    !rule.public &&
    !rule.authenticated &&
    !rule.service &&
    !rule.roles.length &&
    !rule.permissions.length &&
    !rule.vendor
  return empty ? undefined : rule
}

/** `vendor_id` → `vendorId`, as in generated code. */
export const camelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
