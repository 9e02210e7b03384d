"""The verbs of ``wfrun``. What a verb needs is imported when it is called, so that ``--help`` stays quick."""
# ruff: noqa: PLC0415 - imports inside commands are the point of this file: --help must not pay for a session

from difflib import get_close_matches
from typing import Any, Final

import typer

from wfrun.cli.baseline import baseline_app
from wfrun.cli.history import history_app
from wfrun.cli.measure import CommandArgument, CommandJsonOption, run_measure
from wfrun.cli.options.looking import (
    CoverageOption,
    DebugOption,
    InProcessOption,
    NoCaptureOption,
    PdbOption,
    ProfileOption,
    TraceOption,
)
from wfrun.cli.options.measuring import (
    AgainstOption,
    BaselineOption,
    BudgetOption,
    CompareOption,
    DoctorBudgetOption,
    DoctorJsonOption,
    FailOnOption,
    IdenticalOption,
    NewArgument,
    OldArgument,
    ReplaceOption,
    SetupOption,
    SuitesFromEachOption,
    ThresholdOption,
)
from wfrun.cli.options.running import (
    FailFastOption,
    FlakyOption,
    MaxMemoryOption,
    OrderOption,
    RepeatOption,
    RetriesOption,
    SeedOption,
    TargetOption,
    TimeoutOption,
    UntilFailedOption,
    WorkersOption,
)
from wfrun.cli.options.selecting import (
    CaseOption,
    CategoryOption,
    E2eOption,
    ExcludeOption,
    FailedFirstOption,
    IntegrationOption,
    LastFailedOption,
    PathsArgument,
    PatternOption,
    PerformanceOption,
    ShardOption,
    StressOption,
    TagOption,
    TierOption,
    UnitOption,
    WhyOption,
)
from wfrun.cli.options.settings import ConfigOption, EnvOption, VersionOption
from wfrun.cli.options.telling import (
    HtmlOption,
    JsonOption,
    JunitOption,
    ListJsonOption,
    MarkdownOption,
    OutputOption,
    QuietOption,
    RecordsArgument,
    StatsOption,
    VerboseOption,
)
from wfrun.cli.options.words import words_about_running
from wfrun.cli.verbs import RunByDefault, Verb

__all__ = ["app", "run_command_line"]

_EPILOG: Final = """
[bold]Examples[/]

wfrun                                every case in ./suites
wfrun --e2e --pattern complete       end-to-end cases about "complete"
wfrun suites/orders -x --seed 7      one folder, up to its first failure
wfrun --performance --baseline main  measure, keep it in baselines/main.json
wfrun --performance --compare main   measure again: did anything get slower?
wfrun --junit out.xml --json -       results for other programs

[bold]Exit codes[/]

  0  every case passed, no measurement got worse
  1  a case failed, or a suite did not load
  2  the command line is wrong, or a file cannot be read or written
  3  a measurement got worse than its threshold allows
  4  nothing was selected, or nothing was measured that should have been
  5  a fault of wfrun itself
130  interrupted
"""

app: Final = typer.Typer(
    cls=RunByDefault,
    name="wfrun",
    help="Run suites of workflow tests and benchmarks, and say whether anything failed or got slower.\n\n"
    "Where no verb is written, [bold]run[/] is meant: wfrun PATHS is wfrun run PATHS.",
    epilog=_EPILOG,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

app.add_typer(history_app, name="history")
app.add_typer(baseline_app, name="baseline")


def run_command_line(arguments: list[str]) -> int:
    """Carry out one command line and return its exit code.

    Raises:
        UsageError: The command line is wrong; the text names the nearest option or the accepted form.
        WfrunError: Whatever the session raises on purpose.
    """
    from wfrun.errors import UsageError

    try:
        code = app(args=arguments, prog_name="wfrun", standalone_mode=False)
    except typer.TyperException as error:
        raise UsageError(_explained(error)) from None
    return code if isinstance(code, int) else 0


@app.callback()
def _whole(*, version: VersionOption = False) -> None:
    pass


@app.command("run", cls=Verb, epilog=_EPILOG)
def run_command(
    context: typer.Context,
    paths: PathsArgument = None,
    *,
    unit: UnitOption = False,
    integration: IntegrationOption = False,
    e2e: E2eOption = False,
    performance: PerformanceOption = False,
    stress: StressOption = False,
    category: CategoryOption = None,
    pattern: PatternOption = None,
    exclude: ExcludeOption = None,
    tag: TagOption = None,
    tier: TierOption = None,
    shard: ShardOption = None,
    case: CaseOption = None,
    last_failed: LastFailedOption = False,
    failed_first: FailedFirstOption = False,
    workers: WorkersOption = None,
    fail_fast: FailFastOption = False,
    timeout: TimeoutOption = None,
    seed: SeedOption = None,
    order: OrderOption = "file",
    target: TargetOption = None,
    in_process: InProcessOption = False,
    pdb: PdbOption = False,
    no_capture: NoCaptureOption = False,
    debug: DebugOption = False,
    profile: ProfileOption = False,
    trace: TraceOption = False,
    coverage: CoverageOption = False,
    max_memory: MaxMemoryOption = None,
    repeat: RepeatOption = None,
    until_failed: UntilFailedOption = False,
    retries: RetriesOption = None,
    flaky: FlakyOption = "pass",
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    stats: StatsOption = False,
    output: OutputOption = None,
    junit: JunitOption = None,
    json: JsonOption = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    baseline: BaselineOption = None,
    replace: ReplaceOption = False,
    compare: CompareOption = None,
    against: AgainstOption = None,
    budget: BudgetOption = None,
    setup: SetupOption = None,
    suites_from_each: SuitesFromEachOption = False,
    threshold: ThresholdOption = None,
    fail_on: FailOnOption = None,
    config: ConfigOption = None,  # noqa: ARG001 - settled while the command line is read
    env: EnvOption = None,  # noqa: ARG001 - as above
    version: VersionOption = False,  # noqa: ARG001 - answered while the command line is read
) -> None:
    """Run suites, measure what is to be measured, and report."""
    from wfrun.cli.choices import CommandLine, kinds_of, session_options
    from wfrun.cli.places import check_outputs, check_paths, check_tools
    from wfrun.runner.session import run_session

    options = session_options(
        CommandLine(
            paths=paths or (),
            kinds=kinds_of(unit=unit, integration=integration, e2e=e2e, performance=performance, stress=stress),
            categories=category or (),
            patterns=pattern or (),
            excludes=exclude or (),
            tags=tag or (),
            tiers=tier or (),
            shard=shard,
            case_ids=case or (),
            last_failed=last_failed,
            failed_first=failed_first,
            max_memory=max_memory,
            repeat=repeat,
            until_failed=until_failed,
            retries=retries,
            flaky=flaky,
            workers=workers,
            fail_fast=fail_fast,
            timeout=timeout,
            seed=seed,
            order=order,
            targets=target or (),
            in_process=in_process,
            pdb=pdb,
            no_capture=no_capture,
            debug=debug,
            profile=profile,
            trace=trace,
            coverage=coverage,
            verbose=verbose,
            quiet=quiet,
            stats=stats,
            output=output,
            junit=junit,
            json=json,
            html=html,
            markdown=markdown,
            baseline=baseline,
            replace=replace,
            compare=compare,
            against=against,
            budget=budget,
            setup=setup,
            suites_from_each=suites_from_each,
            thresholds=threshold or (),
            fail_on=fail_on or (),
            about_running=words_about_running(context),
        )
    )
    check_paths(options.paths, _verbs())
    check_outputs(options.outputs)
    check_tools(options.limits.tools)
    raise typer.Exit(run_session(options))


@app.command("list", cls=Verb)
def list_command(
    paths: PathsArgument = None,
    *,
    unit: UnitOption = False,
    integration: IntegrationOption = False,
    e2e: E2eOption = False,
    performance: PerformanceOption = False,
    stress: StressOption = False,
    category: CategoryOption = None,
    pattern: PatternOption = None,
    exclude: ExcludeOption = None,
    tag: TagOption = None,
    tier: TierOption = None,
    shard: ShardOption = None,
    seed: SeedOption = None,
    order: OrderOption = "file",
    why: WhyOption = False,
    json: ListJsonOption = False,
    config: ConfigOption = None,  # noqa: ARG001 - settled while the command line is read
    env: EnvOption = None,  # noqa: ARG001 - as above
) -> None:
    """List cases by suite, with their kinds and ids, and run none.

    Where no kind is named, cases of every kind are listed.
    """
    from wfrun.authoring.info import Kind
    from wfrun.cli.choices import CommandLine, kinds_of, session_options
    from wfrun.cli.listing import print_listing
    from wfrun.cli.places import check_paths
    from wfrun.runner.planning import list_cases

    kinds = kinds_of(unit=unit, integration=integration, e2e=e2e, performance=performance, stress=stress)
    options = session_options(
        CommandLine(
            paths=paths or (),
            kinds=kinds or (frozenset() if category else frozenset(Kind)),
            categories=category or (),
            patterns=pattern or (),
            excludes=exclude or (),
            tags=tag or (),
            tiers=tier or (),
            shard=shard,
            seed=seed,
            order=order,
        )
    )
    check_paths(options.paths, _verbs())
    discovery, plan = list_cases(options, explained=why)
    raise typer.Exit(print_listing(discovery, plan, as_json=json, explained=why))


@app.command(
    "config",
    cls=Verb,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help", "-h"]},
)
def config_command(
    ctx: typer.Context,
    action: str = typer.Argument("show", metavar="show", help="Followed by the words of a command line of run."),
    *,
    json: ListJsonOption = False,
) -> None:
    """Show every option's value, and where it comes from: command line, variable, profile, file or default."""
    from wfrun.cli.config.apply import without_answers
    from wfrun.cli.config.show import settings_json, settings_lines
    from wfrun.errors import UsageError

    if action != "show":
        raise UsageError(f"wfrun config can do show, not {action!r}; a folder called config is meant by wfrun ./config")
    root: Any = ctx.find_root().command
    run = root.commands["run"]
    _, answers = without_answers(ctx.args, run.params)
    read = run.make_context("run", list(ctx.args), parent=ctx.parent)
    print(settings_json(read, [*answers]) if json else "\n".join(settings_lines(read, [*answers])))


@app.command("merge", cls=Verb)
def merge_command(
    records: RecordsArgument,
    *,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    junit: JunitOption = None,
    json: JsonOption = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
) -> None:
    """Make one record of those that the shards of a session wrote with --json, and end as that session would have.

    What is no part of one session is refused: another commit or selection, a shard twice, or one that is missing.
    """
    from wfrun.cli.choices import CommandLine, session_options
    from wfrun.cli.merge import merge_files

    options = session_options(
        CommandLine(paths=records, verbose=verbose, quiet=quiet, junit=junit, json=json, html=html, markdown=markdown)
    )
    raise typer.Exit(merge_files(options.paths, options.outputs))


@app.command("compare", cls=Verb)
def compare_command(
    old: OldArgument,
    new: NewArgument,
    *,
    threshold: ThresholdOption = None,
    fail_on: FailOnOption = None,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    json: JsonOption = None,
    markdown: MarkdownOption = None,
) -> None:
    """Hold the figures of one file against those of another, and measure nothing.

    Each is a baseline, whose bare name is a file in ./baselines, or a record that --json wrote.
    """
    from wfrun.cli.choices import CommandLine, session_options
    from wfrun.cli.compare import compare_old_and_new

    options = session_options(
        CommandLine(
            compare=old,
            thresholds=threshold or (),
            fail_on=fail_on or (),
            verbose=verbose,
            quiet=quiet,
            json=json,
            markdown=markdown,
        )
    )
    raise typer.Exit(compare_old_and_new(old, new, options.outputs))


@app.command("measure", cls=Verb, context_settings={"allow_interspersed_args": False})
def measure_verb(
    command: CommandArgument,
    *,
    against: AgainstOption = None,
    budget: BudgetOption = None,
    setup: SetupOption = None,
    threshold: ThresholdOption = None,
    json: CommandJsonOption = False,
) -> None:
    """Measure a whole command, here or against another tree.

    wfrun measure -- python -m app           what it takes: time, processor time, memory
    wfrun measure --against main -- make     the same in two trees, in pairs: did it get slower?
    """
    from wfrun.cli.choices import measured_command

    trees, budget_s, percent = measured_command(against, budget, setup, threshold or ())
    raise typer.Exit(run_measure(command, trees, budget_s, percent=percent, json=json))


@app.command("doctor", cls=Verb)
def doctor_command(
    *, json: DoctorJsonOption = False, identical: IdenticalOption = False, budget: DoctorBudgetOption = None
) -> None:
    """Say whether this machine is fit to measure on, line by line, and what to do about it."""
    from wfrun.cli.doctor import examine_machine

    examine_machine(as_json=json, identical=identical, budget=budget)


@app.command("init", cls=Verb)
def init_command(
    folder: str = typer.Argument(".", metavar="[FOLDER]", help="Where suites/ is to be; made if it is missing."),
) -> None:
    """Write a first suite that passes, to change into your own: suites/suite_first.py.

    A file that exists is never overwritten.
    """
    from pathlib import Path

    from wfrun.cli.first_suite import write_first_suite

    print(write_first_suite(Path(folder)))


def _verbs() -> list[str]:
    names = [command.name for command in app.registered_commands]
    return [name for name in (*names, *(group.name for group in app.registered_groups)) if name]


def _explained(error: typer.TyperException) -> str:
    # What typer knows beyond its message differs between its classes, which are private to it.
    unknown = getattr(error, "option_name", None)
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if context is None:
        return message
    if unknown is None or "No such option" not in message:
        return f"{message.rstrip('.')}; {context.command_path} --help lists what there is"
    known = [name for param in context.command.get_params(context) for name in (*param.opts, *param.secondary_opts)]
    near = get_close_matches(unknown, [name for name in known if name.startswith("--")], n=1, cutoff=0.5)
    if not unknown.startswith("--"):  # letters are not alike, but capitals are mixed up
        near = [name for name in known if name == unknown.swapcase()]
    meant = f"; did you mean {near[0]}?" if near else ";"
    return f"there is no option {unknown}{meant} {context.command_path} --help lists them"
