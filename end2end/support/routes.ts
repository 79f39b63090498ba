// Every page of the portal and who may open it: the list that the isolation suite holds against the router.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Login } from './portal';

type Role = Login['role'];

export interface Route {
  /** As the router spells it: `/clients/{client}/invoices`. */
  path: string;
  public: boolean;
  roles: Role[];
}

const root = resolve(__dirname, '../..');
const ROLES: Record<string, Role> = { S: 'eis_staff', E: 'energy_admin', C: 'client_admin', K: 'customer_user' };

function rolesIn(letters: string): Role[] {
  return letters.split(',').map((letter) => ROLES[letter.trim()] ?? fail(`no role is called ${letter}`));
}

function fail(text: string): never {
  throw new Error(text);
}

/** `page("/organization/users", Place::Organization, &[S, E]),` */
function read(): Route[] {
  const text = readFileSync(resolve(root, 'app/tests/isolation/targets.rs'), 'utf8');
  const groups = new Map([...text.matchAll(/const (\w+): &\[Role\] = &\[([^\]]+)\]/g)].map((m) => [m[1], m[2] as string]));
  const lines = [...text.matchAll(/^ +page\("([^"]+)", Place::(\w+), (?:&\[([^\]]+)\]|(\w+))\),$/gm)];
  const routes = lines.map(([, path, place, letters, group]) => ({
    path: path as string,
    public: place === 'Public',
    roles: rolesIn(letters ?? groups.get(group as string) ?? fail(`no group is called ${group}`)),
  }));
  if (routes.length !== text.split('page("').length - 1) fail('a line of PAGES was not understood');
  return routes;
}

export const ROUTES = read();

/** Paths as the router's own file has them. */
export function routed(): string[] {
  const text = readFileSync(resolve(root, 'app/src/routes.rs'), 'utf8');
  return [...text.matchAll(/\.route\(\s*"([^"]+)"/g)].map((m) => m[1] as string).filter((path) => !path.startsWith('/api/'));
}

const isPlain = (part: string): boolean => !part.startsWith('{');

/** The route that answers an address: the one with most parts spelled out. */
export function routeOf(address: string): Route | undefined {
  const parts = new URL(address, 'http://portal').pathname.split('/');
  const fits = ROUTES.filter((route) => {
    const own = route.path.split('/');
    return own.length === parts.length && own.every((part, at) => (isPlain(part) ? part === parts[at] : parts[at] !== ''));
  });
  const plain = (route: Route): number => route.path.split('/').filter(isPlain).length;
  return fits.sort((a, b) => plain(b) - plain(a))[0];
}
