"""What is systematically wrong of filaments and membranes, in plain words."""

from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.verdict.curved.along import Step
from etpicker_plugin.engine.verdict.curved.found import Curved
from etpicker_plugin.engine.verdict.curved.off_axis import OffAxis
from etpicker_plugin.engine.verdict.curved.twist import TwistSign

WRONG_DIRECTION_DEG = 20.0

MIDDLES = {FILAMENT: "the axes of their filaments"}


def curve_alarms(curved: Curved) -> list[str]:
    """Return a sentence for every set that surely lies off its things."""
    texts = [_off_axis_alarm(curved, name) for name in curved.off_axis]
    turned = [
        f"Set {name}: its orientations lie {angle:.0f}° off the curves through its "
        "points, half of them more. Expected their z axis along the filament: rot, "
        "tilt and psi are of another convention, or belong to other points. Leave "
        "them out, and they are laid along the curves."
        for name, angle in curved.directions_deg.items()
        if angle > WRONG_DIRECTION_DEG
    ]
    wrong_steps = [_step_alarm(n, s) for n, s in curved.steps.items() if s.is_wrong]
    wrong_twists = [
        f"Set {name}: its orientations turn the wrong way along the filaments. Turned "
        f"by {-twist.turn_deg:+.0f}° from box to box, and not {twist.turn_deg:+.0f}°, "
        f"the boxes of a filament agree better, by {-twist.sigma:.0f} standard errors "
        f"of {twist.n} filaments: give the twist with the other sign."
        for name, twist in curved.twists.items()
        if twist.is_wrong
    ]
    return [*(text for text in texts if text), *turned, *wrong_steps, *wrong_twists]


def curve_sentences(curved: Curved) -> list[str]:
    """Return where each set lies, wrong or not."""
    middle = MIDDLES.get(curved.kind, "their membranes")
    shown = "; ".join(f"{n} {_all_axes(f)}" for n, f in curved.off_axis.items())
    axes = " and ".join(next(iter(curved.off_axis.values())).axes)
    count = ", ".join(f"{f.n_things} of {n}" for n, f in curved.off_axis.items())
    return [
        f"Å from {middle}, along {axes} of the average: {shown} ({curved.kind}s: "
        f"{count}).",
        *(_step_sentence(n, s) for n, s in curved.steps.items() if not s.is_wrong),
        *(
            _twist_sentence(name, twist)
            for name, twist in curved.twists.items()
            if not twist.is_wrong
        ),
    ]


def _step_alarm(name: str, step: Step) -> str:
    period = step.repeat.period_ang
    return (
        f"Set {name}: its step of {step.step_ang:.1f} Å is {step.repeats:.2f} of the "
        f"repeat along its filaments, {period:.1f} ± {step.repeat.error_ang:.1f} Å. "
        f"If it was meant to be {step.whole}, it is wrong: pick with a step of "
        f"{step.whole * period:.1f} Å."
    )


def _step_sentence(name: str, step: Step) -> str:
    return (
        f"{name}: along its filaments the density repeats every "
        f"{step.repeat.period_ang:.1f} ± {step.repeat.error_ang:.1f} Å, and its step "
        f"of {step.step_ang:.1f} Å is {step.repeats:.2f} of that."
    )


def _twist_sentence(name: str, twist: TwistSign) -> str:
    told = (
        "the boxes of a filament agree better so than with the other sign"
        if twist.is_right
        else "these boxes do not tell whether that is the right sign"
    )
    return (
        f"{name}: its orientations turn by {twist.turn_deg:+.0f}° from box to box; "
        f"{told} ({twist.sigma:+.1f} standard errors, {twist.n} filaments)."
    )


def _off_axis_alarm(curved: Curved, name: str) -> str:
    found = curved.off_axis[name]
    middle = MIDDLES.get(curved.kind, "their membranes")
    if found.in_tomogram.is_alarming:
        return (
            f"Set {name}: its points lie {found.in_tomogram.describe()} of {middle}, "
            "in the tomogram. So constant an offset is a wrong origin, axis or "
            "binning, not bad picking; subtract it."
        )
    if found.is_of_tomogram or not found.alarming_axes:
        return ""
    where = " and ".join(
        f"{mean:+.0f} ± {error:.0f} Å along {axis}"
        for axis, mean, error in zip(
            found.axes, found.mean_ang, found.error_ang, strict=True
        )
        if axis in found.alarming_axes
    )
    if curved.kind == FILAMENT:
        return (
            f"Set {name}: its points lie {where} of the average beside {middle}, "
            "whichever way these run. Move the points across by that, or trace the "
            "middle."
        )
    size = "large" if found.mean_ang[0] > 0 else "small"
    return (
        f"Set {name}: its points lie {where}, the normal, of {middle}: the radii are "
        f"too {size} by that."
    )


def _all_axes(found: OffAxis) -> str:
    means = ", ".join(f"{mean:+.0f}" for mean in found.mean_ang)
    errors = ", ".join(f"{error:.0f}" for error in found.error_ang)
    return f"({means}) ± ({errors})"
