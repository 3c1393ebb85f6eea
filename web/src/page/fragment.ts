/** A signed-in user: id and token. */
export interface Account {
  readonly user: string;
  readonly token: string;
}

/**
 * Reads `#user=ada:TOKEN&user=bob:TOKEN`, percent-encoded as in a form. A fragment is never sent to
 * a server. Neither ids nor tokens contain a colon.
 */
export function accountsOf(fragment: string): Account[] {
  return new URLSearchParams(fragment.replace(/^#/, '')).getAll('user').flatMap((text) => {
    const [user, token, ...rest] = text.split(':');
    return user && token && rest.length === 0 ? { user, token } : [];
  });
}

export function fragmentOf(accounts: readonly Account[]): string {
  return `#${new URLSearchParams(accounts.map(({ user, token }) => ['user', `${user}:${token}`]))}`;
}
