import type { Config } from '../config/index.ts';
import { showGuardStatus } from '../guard/index.ts';
import type { RunningService } from './service.ts';

/** What a person reads when the service is up. As long as it knows no service, it says how to begin. */
export function greeting(service: RunningService, config: Config): string {
  const { paths } = config;
  const lines = [
    `Sallyport ${service.version} is up.`,
    '',
    `  control plane  ${service.controlUrl}   issuer and admin API`,
    `  gateway        ${service.gatewayUrl}   where agents' calls go`,
    '',
    `  state          ${paths.home}`,
    `                 keys/ private keys   data/ database and audit log   ${config.policy.directory}/ who may do what`,
    ...administratorLines(service),
    `  detector       ${config.detector.profile}`,
    `  guard          ${showGuardStatus(service.guard())}`,
    ...(service.guardNote === null ? [] : [`                 ${service.guardNote}`]),
    '',
  ];
  return [...lines, ...(service.unused ? FIRST_STEPS : [])].join('\n');
}

function administratorLines({ administrator }: RunningService): readonly string[] {
  switch (administrator.kind) {
    case 'exists':
      return [];
    case 'written':
      return [
        `  administrator  the token stands in ${administrator.file} (mode 0600); the sallyport command finds it`,
      ];
    case 'shown':
      return [
        '  administrator  this token is shown once; keep it, or let the sallyport command keep it: ./bin/sallyport login',
        '',
        `                 ${administrator.token}`,
        '',
      ];
  }
}

const FIRST_STEPS: readonly string[] = [
  'First steps, in another terminal (docs/start.md says more):',
  '',
  '  ./bin/sallyport service add example --origin https://api.example.com --credential example-key',
  '  ./bin/sallyport credential put example-key --service example --kind bearer     asks for the secret',
  '  ./bin/sallyport agent add my-agent --owner me --scope example:read',
  '  ./bin/sallyport run --agent my-agent -- curl -s https://api.example.com/',
  '',
  'npm run demo shows the whole line at work. Ctrl-C stops.',
  '',
];
