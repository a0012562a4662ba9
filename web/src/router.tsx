/** Every view has an address that survives a reload and can be shared. Views load when they are first shown. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { readSearch } from './features/rag/asked';
import { NotFoundView } from './shell/NotFoundView';
import { Shell } from './shell/Shell';
import { ViewError } from './shell/ViewError';

/** What an address may say after its question mark, each a text; whatever else it says is dropped. */
function texts<K extends string>(...keys: K[]) {
  return (search: Record<string, unknown>): { [key in K]?: string } =>
    Object.fromEntries(
      keys.map((key) => [key, search[key]]).filter(([, value]) => typeof value === 'string'),
    ) as {
      [key in K]?: string;
    };
}

/** The same for whole numbers from 0. */
function places<K extends string>(...keys: K[]) {
  return (search: Record<string, unknown>): { [key in K]?: number } =>
    Object.fromEntries(
      keys
        .map((key) => [key, search[key]])
        .filter(([, value]) => Number.isSafeInteger(value) && Number(value) >= 0),
    ) as { [key in K]?: number };
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFoundView,
  errorComponent: ViewError,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./features/home/HomeView'), 'HomeView'),
});

const chat = createRoute({
  getParentRoute: () => root,
  path: '/chat',
  component: lazyRouteComponent(() => import('./features/chat/ChatView'), 'ChatView'),
  validateSearch: (
    search: Record<string, unknown>,
  ): {
    variant?: string;
    beside?: string;
    at?: number;
    /** A collection's name, or false for the model alone. */
    documents?: string | false;
    source?: string;
    start?: number;
    end?: number;
  } => ({
    ...texts('variant', 'beside', 'source')(search),
    ...places('at', 'start', 'end')(search),
    ...(['string', 'number'].includes(typeof search['documents'])
      ? { documents: String(search['documents']) }
      : {}),
    ...(search['documents'] === false ? { documents: false } : {}),
  }),
});

/** Drawn by ChatView too, so that a conversation that gets its address goes on undisturbed. */
const chatSession = createRoute({ getParentRoute: () => chat, path: '/$sessionId' });

const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: lazyRouteComponent(() => import('./features/models/ModelsView'), 'ModelsView'),
});

const model = createRoute({
  getParentRoute: () => root,
  path: '/models/$name',
  component: lazyRouteComponent(() => import('./features/models/ModelView'), 'ModelView'),
});

const map = createRoute({
  getParentRoute: () => root,
  path: '/models/$name/map',
  component: lazyRouteComponent(() => import('./features/map/MapView'), 'MapView'),
});

const board = createRoute({
  getParentRoute: () => root,
  path: '/models/$name/board',
  component: lazyRouteComponent(() => import('./features/board/BoardView'), 'BoardView'),
});
const exporting = createRoute({
  getParentRoute: () => root,
  path: '/models/$name/export',
  component: lazyRouteComponent(() => import('./features/release/ExportView'), 'ExportView'),
});

const documents = createRoute({
  getParentRoute: () => root,
  path: '/documents',
  component: lazyRouteComponent(() => import('./features/documents/DocumentsView'), 'DocumentsView'),
});

const collection = createRoute({
  getParentRoute: () => root,
  path: '/documents/$collection',
  component: lazyRouteComponent(() => import('./features/documents/CollectionView'), 'CollectionView'),
  validateSearch: texts('state'),
});

const searching = createRoute({
  getParentRoute: () => root,
  path: '/documents/$collection/search',
  component: lazyRouteComponent(() => import('./features/rag/SearchView'), 'SearchView'),
  validateSearch: readSearch,
});

const document = createRoute({
  getParentRoute: () => root,
  path: '/documents/$collection/$document',
  component: lazyRouteComponent(() => import('./features/rag/DocumentView'), 'DocumentView'),
  validateSearch: places('start', 'end'),
});

const data = createRoute({
  getParentRoute: () => root,
  path: '/data',
  component: lazyRouteComponent(() => import('./features/data/DataView'), 'DataView'),
});

const dataSet = createRoute({
  getParentRoute: () => root,
  path: '/data/$id',
  component: lazyRouteComponent(() => import('./features/data/DataSetView'), 'DataSetView'),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  component: lazyRouteComponent(() => import('./features/runs/RunsView'), 'RunsView'),
  validateSearch: texts('start', 'again', 'state', 'compare', 'data', 'suggested'),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  component: lazyRouteComponent(() => import('./features/runs/RunView'), 'RunView'),
});

const sweep = createRoute({
  getParentRoute: () => root,
  path: '/runs/sweeps/$sweepId',
  component: lazyRouteComponent(() => import('./features/runs/SweepView'), 'SweepView'),
});

const admin = createRoute({
  getParentRoute: () => root,
  path: '/admin',
});

const settings = createRoute({
  getParentRoute: () => admin,
  path: '/',
  component: lazyRouteComponent(() => import('./features/admin/SettingsView'), 'SettingsView'),
});

const keys = createRoute({
  getParentRoute: () => admin,
  path: '/keys',
  component: lazyRouteComponent(() => import('./features/admin/KeysView'), 'KeysView'),
});

const origins = createRoute({
  getParentRoute: () => admin,
  path: '/origins',
  component: lazyRouteComponent(() => import('./features/admin/OriginsView'), 'OriginsView'),
});

const memory = createRoute({
  getParentRoute: () => admin,
  path: '/memory',
  component: lazyRouteComponent(() => import('./features/admin/MemoryView'), 'MemoryView'),
});

const log = createRoute({
  getParentRoute: () => admin,
  path: '/log',
  component: lazyRouteComponent(() => import('./features/admin/LogView'), 'LogView'),
  validateSearch: ({ kind }: Record<string, unknown>): { kind?: string } =>
    typeof kind === 'string' ? { kind } : {},
});

const jobs = createRoute({
  getParentRoute: () => admin,
  path: '/jobs',
  component: lazyRouteComponent(() => import('./features/admin/JobsView'), 'JobsView'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    chat.addChildren([chatSession]),
    models,
    model,
    map,
    board,
    exporting,
    documents,
    collection,
    searching,
    document,
    data,
    dataSet,
    runs,
    run,
    sweep,
    admin.addChildren([settings, keys, origins, memory, log, jobs]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
