"""The documents list's filters and the upload form."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from ocr import document_types
from ocr.models import Priority, Status
from ocr.told import label as told_label

PRIORITIES = [(priority.name.lower(), priority.label) for priority in Priority]


class DocumentFilters(forms.Form):
    status = forms.ChoiceField(label=_("Status"), choices=[("", _("Any status")), *Status.choices], required=False)
    document_type = forms.ChoiceField(label=_("Type"), required=False)
    priority = forms.ChoiceField(label=_("Priority"), choices=[("", _("Any priority")), *PRIORITIES], required=False)
    received_after = forms.DateField(
        label=_("Received from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    q = forms.CharField(label=_("File name or id"), required=False, max_length=200)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["document_type"].choices = type_choices()  # type: ignore[attr-defined]


def type_choices() -> list[tuple[str, str]]:
    return [("", str(_("Any type"))), *((row.name, told_label(row.label)) for row in document_types.newest())]


class UploadForm(forms.Form):
    file = forms.FileField(allow_empty_file=True)
    document_type = forms.CharField(required=False, max_length=60)
    priority = forms.CharField(required=False, max_length=10)
    tenant = forms.SlugField(required=False)
