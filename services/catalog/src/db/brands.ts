import type { Brand } from '@haat/proto/catalog/v1/catalog'
import type { BrandDocument } from './collections.ts'

export const toBrand = (brand: BrandDocument): Brand => ({
  id: brand._id,
  name: brand.name,
  slug: brand.slug,
  logoUrl: brand.logoUrl,
  isActive: brand.isActive,
})
