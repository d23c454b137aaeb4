"""Names that mean something else as a rule. They are never tagged, in any spelling."""

from __future__ import annotations

from pathlib import Path

from kgrel.data.files import decode_line, lines_of
from kgrel.text.folding import fold

_ENGLISH = """
advanced age air alert all allergen amber analgesic and android anesthetic apache art awake axis
balance band bat bayer beam best better blast body cape capture cardinal care cars cart cascade cat
chip clock cofactor comfort coral cough cryptic damage danger date dimension dispatched easy elm end
equal fish flap flower for full genesis gradient hand hat hole homodimer horseradish hot impact
inspire killer lab large legend light mass mate max modal monitor mor mucosa muscle nodular not
orange par pearl per perform personal pole prevent protein rabbit rapid regimen salvador sea set
ship simple solution spatial stop success tactile today toddler traits trap uterine vessel via was
wise
"""
_ABBREVIATIONS = """
abpa aca acd acg aco act adl adp aga ags ahf ahl ait ami ana anova aom arb ari ars as1 asd ase ata
atpase b10 b27 bss btz c-1 c-c caa cad caf cbf cbt cca ccd chc chd cic cis cms coi cor cort cpap cpb
cpp crs css cta ctp ctr ctrl ctx cyp dag dba dca dcv ddd dex dmi dmn dor dpi dpp e12 e14 ecm ela emd
epi erp esi ess fam fev ffr fit fmd gata gca gcc gfr git gmp gns gpa gpi gps grs gtp hak hbe hbm
hdac hdl hdr hek hif-1 hmm hnc hne hpa hpl hsa hsc hsd hts hus icd icf idc ids ilc inf int ipa irf
irr irs isa isk ivf kor lao lar lec lps mal map mas mci mda mdm mem men mfi mhc mi mic mis mlc mmr
mms mof mol mpa mpi mrc mri mrsa ms2 msc mse mtb mtg mts naa nad+ nap ner nhl nhs nir nlp nls no3
nod npc nps ntd ntm oct oga ogd opd opll p450 pac pas pat pbc pbs pcb pci pcs pct pde pfc pfp pft
pga pha phc pip pkc plc pls pms pnd poc pox ppa ppar ppl ppp psd pss pts rao ras rbm ref rem rfi ril
risc rns roc rom ros rpe rtt s11 s12 s13 s1p sah san sans saps sari sbs scc scd sci scn seb sim sis
slc sli slo sma smc smr sms sns soc soma spr spt srs ssb stat statin sto tbs tcf tcs tdf ter tga thp
til tlc tmd tnm tor tpr tsp tst ups uti viii
"""
_CLASSES = """
adapter protein
amino acids
cell surface receptor
cyclin
cysteine protease
demethylase
disease
genetic disease
heavy chain
helicase
homeobox
hormone receptor
leukocyte antigen
membrane-bound
neuronal migration
peptidase
personal care
phospholipase a
potassium channel
protein 3
protein kinase
protein tyrosine phosphatase
receptor tyrosine kinase
serine protease
serine/threonine kinase
sore throat
splicing factor
syndrome
tumor suppressor
tyrosine kinase
"""

ENGLISH = frozenset(_ENGLISH.split())
"""Common English words that are also gene symbols, synonyms or brand names."""

ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
"""Abbreviations whose usual meaning (phosphate-buffered saline) is not the listed one (TSPO, alias PBS)."""

CLASSES = frozenset(_CLASSES.strip().splitlines())
"""Phrases that name a whole class, or no entity at all, although one entity lists them."""

BUILTIN = ENGLISH | ABBREVIATIONS | CLASSES


def read_stop_list(path: str | Path) -> frozenset[str]:
    """Read a stop list: one name a line; lines that begin with ``#`` are comments.

    Raises:
        InputError: the file is missing, damaged, or not UTF-8.
    """
    lines = (decode_line(path, number, line).strip() for number, line in lines_of(path))
    return frozenset(fold(line) for line in lines if line and not line.startswith("#"))
