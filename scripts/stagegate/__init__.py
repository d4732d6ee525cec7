"""stagegate: take a release from build to production with GitHub Actions and Argo CD.

The rooms, lower ones never import higher ones:
errors < model < settings < runner < clients < report < (release | chart | gate) < promotion.
"""
