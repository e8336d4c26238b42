/* process: which stage follows which, how often and how fast */
