"""regraft methods: what there is."""

import inspect
from dataclasses import fields

import click


@click.command("methods")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the methods by family with what each minimises, or explain the one called NAME."""
    from ..methods import METHODS, method_named
    from ..text import aligned

    if name is None:
        family = ""
        for title, method in METHODS.items():
            if method.family() != family:
                family = method.family()
                click.echo(f"{family}")
            click.echo(f"  {title:<18} {method.objective_line()}")
        click.echo("\nregraft methods NAME explains one.")
        return
    method = method_named(name)
    click.echo(f"{method.__name__} ({method.family()}; map: {', '.join(method.map)})\n")
    click.echo(inspect.cleandoc(method.__doc__ or ""))
    pooled = "; or target_labelled, unlabelled" * method.semi
    click.echo(f"\nNeeds: {', '.join(sorted(method.needs))}{pooled}. Reference: {method.reference}")
    rows = [
        [f.name, str(f.default), str(f.metadata["help"]), ", ".join(map(str, f.metadata["search"]))]
        for f in fields(method)
    ]
    if rows:
        click.echo("\n" + aligned(["hyper-parameter", "default", "what it is", "search"], rows))
