"""Times NREL's utilityrate5 (PySAM) for `portal bench rate`: a URDB rate over a year of 8,760 hours.

Called with the rate's file and a file of 8,760 numbers of kWh, one a line; prints one line of JSON: nanoseconds of processor
time for a year (the least of several runs), alone and with the year's load handed over before, and January's bill in cents.
"""

import json
import sys
import time

import PySAM.Utilityrate5 as utilityrate5

NO_LIMIT = 9.99e37


def tiers(structure):
    """[[period, tier, max, rate], …], numbered from 1."""
    return [
        [period + 1, tier + 1, block.get("max", NO_LIMIT), block.get("rate", 0) + block.get("adj", 0)]
        for period, blocks in enumerate(structure)
        for tier, block in enumerate(blocks)
    ]


def schedule(rate, field):
    return [[hour + 1 for hour in month] for month in rate[field]]


def model(rate, load):
    module = utilityrate5.new()
    rates = module.ElectricityRates
    rates.en_electricity_rates = 1
    rates.ur_metering_option = 0
    rates.ur_nm_yearend_sell_rate = 0
    rates.ur_nm_credit_month = 11
    rates.ur_nm_credit_rollover = 0
    rates.ur_monthly_fixed_charge = rate.get("fixedmonthlycharge", 0)
    rates.ur_monthly_min_charge = rate.get("minmonthlycharge", 0)
    rates.ur_annual_min_charge = rate.get("annualmincharge", 0)
    rates.ur_sell_eq_buy = 0
    rates.ur_en_ts_sell_rate = 0
    rates.ur_en_ts_buy_rate = 0
    rates.ur_ts_sell_rate = [0]
    rates.ur_ts_buy_rate = [0]
    rates.ur_enable_billing_demand = 0
    rates.rate_escalation = [0]
    rates.ur_ec_sched_weekday = schedule(rate, "energyweekdayschedule")
    rates.ur_ec_sched_weekend = schedule(rate, "energyweekendschedule")
    rates.ur_ec_tou_mat = [[p, t, most, 0, price, 0] for p, t, most, price in tiers(rate["energyratestructure"])]
    rates.ur_dc_enable = 1
    rates.ur_dc_sched_weekday = schedule(rate, "demandweekdayschedule")
    rates.ur_dc_sched_weekend = schedule(rate, "demandweekendschedule")
    rates.ur_dc_tou_mat = tiers(rate["demandratestructure"])
    flat = tiers(rate["flatdemandstructure"])
    rates.ur_dc_flat_mat = [
        [month, tier, most, price]
        for month, number in enumerate(rate["flatdemandmonths"])
        for period, tier, most, price in flat
        if period == number + 1
    ]
    lifetime = module.Lifetime
    lifetime.analysis_period = 1
    lifetime.inflation_rate = 0
    lifetime.system_use_lifetime_output = 0
    module.SystemOutput.degradation = [0]
    module.SystemOutput.gen = [0] * len(load)
    module.Load.load = load
    module.Load.load_escalation = [0]
    return module


def least(work):
    """Nanoseconds of processor time."""
    best = None
    for _ in range(10):
        start = time.process_time_ns()
        for _ in range(10):
            work()
        took = (time.process_time_ns() - start) // 10
        best = took if best is None else min(best, took)
    return best


def main():
    with open(sys.argv[1]) as file:
        rate = json.load(file)
    with open(sys.argv[2]) as file:
        load = [float(line) for line in file]
    module = model(rate, load)

    def another():
        module.Load.load = load
        module.execute()

    another()
    january = round(module.Outputs.utility_bill_wo_sys_ym[1][0] * 100)
    print(json.dumps({"year": least(module.execute), "year_with_load": least(another), "january_cents": january}))


main()
