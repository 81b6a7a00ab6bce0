import type { AuthProvider } from '../../src/server/auth/provider.ts'

/** A scheme that has somebody else find out who a client is. */
export const lateScheme: AuthProvider = {
  scheme: 'late',
  isAuthenticated: true,
  authenticate: (data, address) =>
    data === null ? undefined : { ask: { scheme: 'late', data: Buffer.from(data), address } },
  isValid: () => true,
  matches: (id, aclId) => id === aclId,
}
