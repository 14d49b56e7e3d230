import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AuditEvent, Finding } from '../../core/index.ts';
import { addGuardMeters, type GuardGauges } from './guard-meters.ts';
import { Labels } from './labels.ts';

/** Seconds. */
const COMMIT_BUCKETS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const CALL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Permitted calls whose end is awaited, so that it is counted for its service. */
const MAX_OPEN_CALLS = 100_000;

/** What is asked when the numbers are fetched, and costs nothing before. */
export interface Gauges extends GuardGauges {
  readonly ready: () => Promise<Readonly<Record<string, boolean>>>;
  readonly outbox: () => Promise<{ readonly records: number; readonly overdueMs: number }>;
  readonly auditSequence: () => number;
  readonly policyFaults: () => number;
  /** Milliseconds since the epoch, by listener. */
  readonly certificates: () => ReadonlyMap<string, number>;
  readonly version: string;
}

/**
 * The numbers of the service. They follow from the records of the audit log, which every decision passes: what
 * is not recorded is not counted, and the other way round. Labels are closed or bounded sets; never agents,
 * sessions or paths.
 */
export class Meters {
  readonly registry = new Registry();
  readonly #services = new Labels(200);
  readonly #checks = new Labels(200);
  readonly #errors = new Labels(40);
  readonly #grants = new Labels(20);
  readonly #open = new Map<string, string>();

  readonly #permitted = this.#counter(
    'calls_permitted_total',
    'Calls that were permitted.',
    'service',
    'effect',
  );
  readonly #refused = this.#counter(
    'calls_refused_total',
    'Calls that were refused before they were made.',
    'service',
    'code',
  );
  readonly #completed = this.#counter(
    'calls_completed_total',
    'Calls whose answer went to the agent.',
    'service',
    'status',
  );
  readonly #failed = this.#counter(
    'calls_failed_total',
    'Permitted calls that did not end well.',
    'service',
    'code',
  );
  readonly #issued = this.#counter('passports_issued_total', 'Passports that the issuer gave out.', 'grant');
  readonly #notIssued = this.#counter(
    'passports_refused_total',
    'Requests that the issuer refused.',
    'error',
  );
  readonly #revoked = this.#counter('revocations_total', 'Revocations.', 'kind');
  readonly #findings = this.#counter('findings_total', 'Findings of the detector.', 'check', 'severity');
  readonly #alerts = this.#counter('alerts_raised_total', 'Alerts that were raised.', 'severity');
  readonly #scrubbed = this.#counter(
    'secrets_scrubbed_total',
    'Forms of injected secrets that were taken out of answers.',
  );
  readonly #opened = this.#counter('vault_opens_total', 'Credentials that were opened, or not.', 'outcome');
  readonly #durations = new Histogram({
    name: 'sallyport_call_duration_seconds',
    help: 'From the request to the end of the answer, for permitted calls.',
    labelNames: ['service'],
    buckets: CALL_BUCKETS,
    registers: [this.registry],
  });
  readonly #commits = new Histogram({
    name: 'sallyport_audit_commit_seconds',
    help: 'From a record to its being durable.',
    buckets: COMMIT_BUCKETS,
    registers: [this.registry],
  });

  constructor(gauges: Gauges) {
    collectDefaultMetrics({ register: this.registry });
    addGuardMeters(this.registry, gauges);
    const { registry } = this;
    const gauge = (name: string, help: string, labels: readonly string[], read: (gauge: Gauge) => unknown) =>
      new Gauge({
        name: `sallyport_${name}`,
        help,
        labelNames: [...labels],
        registers: [registry],
        async collect() {
          await read(this as Gauge);
        },
      });
    gauge('ready', '1 for each part that is ready.', ['part'], async (ready) => {
      for (const [part, isReady] of Object.entries(await gauges.ready()))
        ready.set({ part }, isReady ? 1 : 0);
    });
    gauge('outbox_lag_records', 'Records that the alert outbox has not looked at yet.', [], async (lag) =>
      lag.set((await gauges.outbox()).records),
    );
    gauge('outbox_overdue_seconds', 'How late the oldest delivery is.', [], async (late) =>
      late.set((await gauges.outbox()).overdueMs / 1000),
    );
    gauge('audit_records', 'Durable records of the audit log.', [], (records) =>
      records.set(gauges.auditSequence()),
    );
    gauge('calls_in_flight', 'Permitted calls that have not ended.', [], (open) => open.set(this.#open.size));
    gauge('policy_faults', 'Faults of the policy folder; above 0 an older set is in force.', [], (faults) =>
      faults.set(gauges.policyFaults()),
    );
    gauge(
      'tls_certificate_expiry_seconds',
      'When the certificate expires, since the epoch.',
      ['listener'],
      (expiry) => {
        for (const [listener, at] of gauges.certificates()) expiry.set({ listener }, at / 1000);
      },
    );
    gauge('build_info', '1, with the version.', ['version'], (info) =>
      info.set({ version: gauges.version }, 1),
    );
  }

  /** Told of each event when it is about to be recorded. */
  observe(event: AuditEvent): void {
    switch (event.type) {
      case 'call.permitted': {
        const { call, effect, findings } = event.data;
        const service = this.#serviceOf(call);
        this.#permitted.inc({ service, effect });
        // Decisions for tool calls that a host makes itself have no end here.
        if (call.action === 'http.call' && this.#open.size < MAX_OPEN_CALLS) this.#open.set(call.id, service);
        this.#countFindings(findings);
        return;
      }
      case 'call.refused':
        this.#refused.inc({ service: this.#serviceOf(event.data.call), code: event.data.code });
        this.#countFindings(event.data.findings);
        return;
      case 'refusals.counted': {
        const { of, code, count } = event.data;
        if (of === 'call.refused') this.#refused.inc({ service: this.#serviceOf(null), code }, count);
        else this.#notIssued.inc({ error: this.#errors.of(code) }, count);
        return;
      }
      case 'call.completed': {
        const { callId, status, durationMs, scrubbed, findings } = event.data;
        const service = this.#ended(callId, durationMs);
        this.#completed.inc({ service, status: `${Math.floor(status / 100)}xx` });
        if (scrubbed > 0) this.#scrubbed.inc(scrubbed);
        this.#countFindings(findings);
        return;
      }
      case 'call.failed':
        this.#failed.inc({
          service: this.#ended(event.data.callId, event.data.durationMs),
          code: event.data.code,
        });
        return;
      case 'observe.recorded':
        this.#countFindings(event.data.findings);
        return;
      case 'passport.issued':
        this.#issued.inc({ grant: this.#grants.of(event.data.grant) });
        return;
      case 'passport.refused':
        this.#notIssued.inc({ error: this.#errors.of(event.data.error) });
        return;
      case 'passport.revoked':
        this.#revoked.inc({ kind: event.data.kind });
        return;
      case 'alert.raised':
        this.#alerts.inc({ severity: event.data.severity });
        return;
      default:
        return;
    }
  }

  committed(seconds: number): void {
    this.#commits.observe(seconds);
  }

  vaultOpened(outcome: 'opened' | 'refused'): void {
    this.#opened.inc({ outcome });
  }

  #serviceOf(call: { readonly action: string; readonly resource: string } | null): string {
    if (call === null) return 'none';
    // The names of tools are the agent's words.
    return call.action === 'http.call' ? this.#services.of(call.resource) : 'tool';
  }

  #ended(callId: string, durationMs: number): string {
    const service = this.#open.get(callId) ?? 'none';
    this.#open.delete(callId);
    this.#durations.observe({ service }, durationMs / 1000);
    return service;
  }

  #countFindings(findings: readonly Finding[]): void {
    for (const { check, severity } of findings)
      this.#findings.inc({ check: this.#checks.of(check), severity });
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `sallyport_${name}`, help, labelNames, registers: [this.registry] });
  }
}
